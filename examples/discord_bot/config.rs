//! What comes from outside the program.

use std::error::Error;

/// The bot's token, from `DISCORD_TOKEN`; `None` when it is not set.
pub(crate) fn token() -> Option<String> {
    let token = std::env::var_os("DISCORD_TOKEN")?.into_string().ok()?;
    (!token.is_empty()).then_some(token)
}

/// Makes encrypted connections possible.
pub(crate) fn prepare_tls() -> Result<(), Box<dyn Error>> {
    #[cfg(feature = "discord-tls")]
    {
        let installed = rustls::crypto::ring::default_provider().install_default();
        installed.map_err(|_| "a TLS provider is installed already".into())
    }
    #[cfg(not(feature = "discord-tls"))]
    Err("Discord wants encrypted connections: build with --features discord-tls".into())
}
