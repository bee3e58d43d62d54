//! Training of the multilingual model on the soft targets of a teacher: gradient descent with AdaGrad over hashed
//! features, one linear output a lane.

mod data;
mod descent;

pub use data::{DataError, Example, Targets};
pub use descent::{Config, train};
