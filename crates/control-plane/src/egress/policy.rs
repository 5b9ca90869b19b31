//! What tenants may reach: the operator's part of the decision.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// What the proxy lets through. The default is the public internet's web.
#[derive(Debug, Clone)]
pub struct Policy {
    pub hosts: Allow,
    /// Web ports by default (80, 443). Others (22 for Git over SSH) are the
    /// operator's to add: an open port is one that tenants can scan the world on.
    pub ports: BTreeSet<u16>,
    /// Addresses of the operator's own that tenants may reach although they are
    /// not public, with their port. Empty by default.
    pub allow_addresses: Vec<SocketAddr>,
    /// Connections open at once, of all instances.
    pub connections: usize,
    /// Connections open at once, of one instance.
    pub connections_per_instance: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            hosts: Allow::All,
            ports: BTreeSet::from([80, 443]),
            allow_addresses: Vec::new(),
            connections: 4096,
            connections_per_instance: 256,
        }
    }
}

impl Policy {
    /// The default, for these hosts only; for all where none is named.
    pub fn for_hosts(hosts: &[String]) -> Result<Self, InvalidHost> {
        let hosts = match hosts {
            [] => Allow::All,
            some => Allow::Hosts(some.iter().map(|host| host.parse()).collect::<Result<_, _>>()?),
        };
        Ok(Self { hosts, ..Self::default() })
    }
}

/// Names that may be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allow {
    All,
    /// Only these; an address written out is allowed if it stands here as such.
    Hosts(Vec<HostPattern>),
}

/// A host's name, or `*.` and a name for all below it (not itself).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPattern {
    Exactly(Host),
    Below(String),
}

/// A pattern that can't be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no host: use a name, *.name, or an address")]
pub struct InvalidHost(String);

/// Whom a request names: lower-case, without a final dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    Name(String),
    Address(IpAddr),
}

impl FromStr for Host {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        let bracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Ok(address) = bracketed.unwrap_or(text).parse::<IpAddr>() {
            return Ok(Self::Address(address.to_canonical()));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let fits = |label: &str| (1..=63).contains(&label.len());
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if name.len() <= 253 && name.bytes().all(allowed) && name.split('.').all(fits) {
            Ok(Self::Name(name))
        } else {
            Err(InvalidHost(text.chars().take(64).collect()))
        }
    }
}

impl FromStr for HostPattern {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        let Some(below) = text.strip_prefix("*.") else { return text.parse().map(Self::Exactly) };
        match below.parse()? {
            Host::Name(name) => Ok(Self::Below(name)),
            Host::Address(_) => Err(InvalidHost(text.to_owned())),
        }
    }
}

impl Allow {
    pub fn permits(&self, host: &Host) -> bool {
        let Self::Hosts(patterns) = self else { return true };
        patterns.iter().any(|pattern| match (pattern, host) {
            (HostPattern::Exactly(allowed), host) => allowed == host,
            (HostPattern::Below(parent), Host::Name(name)) => {
                name.strip_suffix(parent.as_str()).is_some_and(|rest| rest.ends_with('.'))
            }
            (HostPattern::Below(_), Host::Address(_)) => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_a_host_or_all_below_one() {
        let patterns = ["GitHub.com", "*.npmjs.org", "192.0.2.7"].map(|text| text.parse().unwrap());
        let allow = Allow::Hosts(patterns.into());
        for host in [
            "github.com",
            "GITHUB.COM.",
            "registry.npmjs.org",
            "a.b.npmjs.org",
            "192.0.2.7",
            "::ffff:192.0.2.7",
        ] {
            assert!(allow.permits(&host.parse().unwrap()), "{host}");
        }
        for host in ["api.github.com", "npmjs.org", "evilnpmjs.org", "github.com.evil.example", "192.0.2.8"] {
            assert!(!allow.permits(&host.parse().unwrap()), "{host}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in
            ["", ".", "a..b", "a b", "a/b", "a@b", "a\0b", "ü.example", &"x".repeat(64), &"a.".repeat(200)]
        {
            assert!(text.parse::<Host>().is_err(), "{text:?}");
        }
        assert!("*.10.0.0.1".parse::<HostPattern>().is_err());
    }
}
