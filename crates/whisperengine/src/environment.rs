//! What the machine offers, and what the engine makes of it.

use std::{fmt, num::NonZeroUsize, thread};

use serde::Serialize;

/// Where the engine runs, as far as it can tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Environment {
    /// CPU cores this process may use, with affinity and container quota taken into account.
    pub cores: usize,
    /// Memory this process may use, in bytes; 0 when the system does not say.
    pub memory_bytes: u64,
    /// What kind of bot this looks like.
    pub platform: Platform,
}

/// What kind of program the engine is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// A Discord token is in the environment.
    Discord,
    /// A graphical session is.
    Desktop,
    /// Neither.
    Server,
}

impl Environment {
    /// Looks at the machine and at the names in the process environment.
    pub fn detect() -> Self {
        let names: Vec<_> = std::env::vars_os()
            .filter_map(|(name, _)| name.into_string().ok())
            .collect();
        let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let limits = [
            "/sys/fs/cgroup/memory.max",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        ];
        let limit = limits
            .iter()
            .find_map(|path| std::fs::read_to_string(path).ok()?.trim().parse().ok());
        Self {
            cores: thread::available_parallelism().map_or(1, NonZeroUsize::get),
            memory_bytes: usable_memory(&meminfo, limit),
            platform: Platform::from_names(names.iter().map(String::as_str)),
        }
    }
}

impl Platform {
    /// Tells the platform by the names of environment variables.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut platform = Self::Server;
        for name in names {
            match name {
                "DISCORD_TOKEN" | "DISCORD_BOT_TOKEN" => return Self::Discord,
                "DISPLAY" | "WAYLAND_DISPLAY" => platform = Self::Desktop,
                _ => {}
            }
        }
        if cfg!(any(windows, target_os = "macos")) {
            Self::Desktop
        } else {
            platform
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Discord => "discord",
            Self::Desktop => "desktop",
            Self::Server => "server",
        })
    }
}

/// The smaller of the machine's memory and the container's limit, in bytes.
fn usable_memory(meminfo: &str, limit: Option<u64>) -> u64 {
    let total = meminfo.lines().find_map(|line| {
        let kib: u64 = line
            .strip_prefix("MemTotal:")?
            .split_whitespace()
            .next()?
            .parse()
            .ok()?;
        Some(kib * 1024)
    });
    match (total, limit) {
        (Some(total), Some(limit)) => total.min(limit),
        (total, limit) => total.or(limit).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_the_smaller_of_machine_and_container() {
        let meminfo = "MemTotal:       2048 kB\nMemFree:  1 kB\n";
        assert_eq!(usable_memory(meminfo, None), 2 << 20);
        assert_eq!(usable_memory(meminfo, Some(1 << 20)), 1 << 20);
        assert_eq!(usable_memory(meminfo, Some(u64::MAX)), 2 << 20);
        assert_eq!(usable_memory("", None), 0);
    }

    #[test]
    fn a_discord_token_outranks_a_display() {
        assert_eq!(
            Platform::from_names(["DISPLAY", "DISCORD_TOKEN"]),
            Platform::Discord
        );
        assert_ne!(Platform::from_names(["PATH"]), Platform::Discord);
    }
}
