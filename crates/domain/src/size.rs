//! Sizes of an instance, the ones that Fargate has too, so that an agent can
//! move from this machine to AWS as it is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What an instance may use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// 0.25 vCPU, 0.5 GB: a shell and small scripts.
    Nano,
    /// 0.5 vCPU, 1 GB: the proposal's size.
    Small,
    /// 0.5 vCPU, 2 GB: the smallest that holds OpenClaw. The default.
    #[default]
    Standard,
    /// 1 vCPU, 4 GB.
    Large,
    /// 2 vCPU, 8 GB.
    Huge,
}

impl Size {
    pub const ALL: [Self; 5] = [Self::Nano, Self::Small, Self::Standard, Self::Large, Self::Huge];

    /// Thousandths of a virtual CPU.
    pub const fn cpu_millis(self) -> u32 {
        match self {
            Self::Nano => 250,
            Self::Small | Self::Standard => 500,
            Self::Large => 1000,
            Self::Huge => 2000,
        }
    }

    /// Memory in MiB.
    pub const fn memory_mib(self) -> u32 {
        match self {
            Self::Nano => 512,
            Self::Small => 1024,
            Self::Standard => 2048,
            Self::Large => 4096,
            Self::Huge => 8192,
        }
    }

    /// The word in the API and the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nano => "nano",
            Self::Small => "small",
            Self::Standard => "standard",
            Self::Large => "large",
            Self::Huge => "huge",
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No such size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown size: use nano, small, standard, large or huge")]
pub struct UnknownSize;

impl FromStr for Size {
    type Err = UnknownSize;
    fn from_str(text: &str) -> Result<Self, UnknownSize> {
        Self::ALL.into_iter().find(|size| size.as_str() == text).ok_or(UnknownSize)
    }
}
