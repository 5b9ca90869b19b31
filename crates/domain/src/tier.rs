//! How well an instance is shut in: what was really reached, not what was hoped.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What holds an instance's CPU, memory and processes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Limits {
    /// Per-process limits only: weaker, since children count anew.
    Rlimits,
    Cgroup1,
    Cgroup2,
}

/// The isolation that an instance has, in its layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// A virtual machine of its own, as its provider says; the layers below are
    /// then inside it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub machine: bool,
    /// Own user, process, network, mount, IPC and host-name namespaces.
    pub namespaces: bool,
    /// The Landlock ABI of the kernel, where it has one. The instance holds
    /// itself to it before anything else, or does not boot.
    pub landlock: Option<u8>,
    /// A seccomp filter is loaded.
    pub seccomp: bool,
    pub limits: Limits,
}

/// A tier in a word, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Not even namespaces.
    Open,
    /// Namespaces, and not every other layer.
    Sandbox,
    /// Every layer that a shared kernel has.
    Hardened,
    /// A virtual machine of its own.
    Machine,
}

/// What an operator demands at least; less is refused at launch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TierFloor {
    /// Namespaces; the other layers as far as the kernel has them.
    #[default]
    Sandbox,
    /// Every layer: namespaces, Landlock, seccomp and cgroup limits.
    Hardened,
}

impl Tier {
    /// A virtual machine that a provider keeps apart from all others.
    pub const fn own_machine() -> Self {
        Self { machine: true, namespaces: true, landlock: None, seccomp: true, limits: Limits::Cgroup2 }
    }

    /// How far it goes.
    pub fn level(&self) -> Level {
        match self {
            _ if self.machine => Level::Machine,
            _ if self.reaches(TierFloor::Hardened) => Level::Hardened,
            _ if self.reaches(TierFloor::Sandbox) => Level::Sandbox,
            _ => Level::Open,
        }
    }

    /// Whether it reaches what is demanded.
    pub fn reaches(&self, floor: TierFloor) -> bool {
        match floor {
            TierFloor::Sandbox => self.namespaces,
            TierFloor::Hardened if self.machine => true,
            TierFloor::Hardened => {
                self.namespaces && self.landlock.is_some() && self.seccomp && self.limits != Limits::Rlimits
            }
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.machine {
            return f.write_str("a virtual machine of its own");
        }
        f.write_str(if self.namespaces { "namespaces" } else { "no namespaces" })?;
        if let Some(abi) = self.landlock {
            write!(f, " + landlock {abi}")?;
        }
        if self.seccomp {
            f.write_str(" + seccomp")?;
        }
        f.write_str(match self.limits {
            Limits::Rlimits => " + rlimits",
            Limits::Cgroup1 => " + cgroup v1",
            Limits::Cgroup2 => " + cgroup v2",
        })
    }
}
