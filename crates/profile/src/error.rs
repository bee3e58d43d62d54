/// A profile that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not a profile.
    #[error("not a profile")]
    NotAProfile,
    /// A later version wrote the bytes.
    #[error("profile of version {found}, this release reads up to {supported}")]
    UnknownVersion {
        /// The version of the bytes.
        found: u8,
        /// The newest version that is read.
        supported: u8,
    },
    /// The bytes end early or hold a value out of range.
    #[error("profile is damaged at byte {at}")]
    Damaged {
        /// Where.
        at: usize,
    },
}

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
