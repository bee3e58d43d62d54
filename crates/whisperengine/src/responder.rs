//! Who writes the reply.

mod template;

pub use template::TemplateResponder;
