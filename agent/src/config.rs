//! What an instance is started with.

use std::env::VarError;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use domain::id::InstanceId;
use domain::protocol::{Secret, env};

use crate::tenant::Tenant;

/// Read from the environment; see [`domain::protocol::env`] for each variable.
#[derive(Debug)]
pub struct Config {
    pub instance: InstanceId,
    pub control: ControlAddress,
    pub nonce: Secret,
    pub listeners: Listeners,
    pub home: PathBuf,
    /// The Landlock ABI that must be held to.
    pub landlock: Option<u8>,
    /// Whose processes the tenant's are, if not the daemon's own user's.
    pub tenant: Option<Tenant>,
}

/// What to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listeners {
    /// A Unix socket that was inherited, at descriptor 3.
    Unix,
    /// That, and a loopback TCP one at descriptor 4.
    UnixAndTcp,
    /// An address that only the control plane's relay reaches, and perhaps one
    /// that browsers come to.
    Network { relayed: SocketAddr, direct: Option<SocketAddr> },
}

/// Where the control plane is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlAddress {
    Unix(PathBuf),
    /// `host:port`, in the clear: for a network of one's own.
    Http(String),
    /// `host:port`, by TLS.
    Https(String),
}

impl FromStr for ControlAddress {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.starts_with('/') { Ok(Self::Unix(path.into())) } else { Err(()) };
        }
        let url: http::Uri = text.parse().map_err(drop)?;
        let host = url.host().filter(|host| !host.is_empty()).ok_or(())?;
        if url.path_and_query().is_some_and(|rest| rest.as_str() != "/") || url.authority().is_none() {
            return Err(());
        }
        match (url.scheme_str(), url.port_u16()) {
            (Some("http"), Some(port)) => Ok(Self::Http(format!("{host}:{port}"))),
            (Some("https"), port) => Ok(Self::Https(format!("{host}:{}", port.unwrap_or(443)))),
            _ => Err(()),
        }
    }
}

/// A variable that is missing or makes no sense. Never shows a value.
#[derive(Debug, thiserror::Error)]
#[error("{name} {problem}")]
pub struct BadVariable {
    name: &'static str,
    problem: &'static str,
}

impl Config {
    /// Reads the environment and takes what the tenant must not see out of it.
    ///
    /// # Safety
    /// No other thread may run yet.
    pub unsafe fn take_from_environment() -> Result<Self, BadVariable> {
        let config = Self::read();
        let own = [
            env::ENROLMENT,
            env::CONTROL,
            env::LISTEN_FDS,
            env::LISTEN,
            env::DIRECT,
            env::LANDLOCK,
            env::TENANT,
            env::JOURNAL,
        ];
        for name in own {
            // SAFETY: the caller promises that no other thread runs.
            unsafe { std::env::remove_var(name) };
        }
        // Where a provider tells its tasks about themselves, and gives them keys, is known by
        // an address with a secret in it: the daemon has no use for it, the tenant no right to it.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if ["AWS_", "ECS_"].iter().any(|prefix| name.starts_with(prefix)) {
                // SAFETY: as above.
                unsafe { std::env::remove_var(&*name) };
            }
        }
        config
    }

    fn read() -> Result<Self, BadVariable> {
        let bad = |name, problem| BadVariable { name, problem };
        let instance = text(env::INSTANCE)?.parse();
        let control = text(env::CONTROL)?.parse();
        let listeners = match std::env::var_os(env::LISTEN) {
            Some(_) => {
                let address = |name| -> Result<SocketAddr, BadVariable> {
                    text(name)?.parse().map_err(|_| bad(name, "is no address and port"))
                };
                let direct = std::env::var_os(env::DIRECT).map(|_| address(env::DIRECT)).transpose()?;
                Listeners::Network { relayed: address(env::LISTEN)?, direct }
            }
            None => match text(env::LISTEN_FDS)?.as_str() {
                "1" => Listeners::Unix,
                "2" => Listeners::UnixAndTcp,
                _ => return Err(bad(env::LISTEN_FDS, "is neither 1 nor 2")),
            },
        };
        let home = PathBuf::from(text(env::HOME)?);
        if !home.is_dir() {
            return Err(bad(env::HOME, "names no folder"));
        }
        let landlock = match std::env::var_os(env::LANDLOCK) {
            None => None,
            Some(_) => {
                let abi = text(env::LANDLOCK)?.parse().map_err(|_| bad(env::LANDLOCK, "is no number"))?;
                Some(abi)
            }
        };
        let tenant = match std::env::var_os(env::TENANT) {
            None => None,
            Some(_) => Some(text(env::TENANT)?.parse().map_err(|problem| bad(env::TENANT, problem))?),
        };
        Ok(Self {
            instance: instance.map_err(|_| bad(env::INSTANCE, "names no instance"))?,
            control: control.map_err(|()| bad(env::CONTROL, "is no unix:/path, http:// or https://"))?,
            nonce: Secret::new(text(env::ENROLMENT)?),
            listeners,
            home,
            landlock,
            tenant,
        })
    }
}

fn text(name: &'static str) -> Result<String, BadVariable> {
    std::env::var(name).map_err(|error| match error {
        VarError::NotPresent => BadVariable { name, problem: "is not set" },
        VarError::NotUnicode(_) => BadVariable { name, problem: "is no text" },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_plane_is_named_in_three_ways() {
        let read = |text: &str| text.parse::<ControlAddress>();
        assert_eq!(read("unix:/run/control.sock"), Ok(ControlAddress::Unix("/run/control.sock".into())));
        assert_eq!(read("http://10.0.0.7:7008"), Ok(ControlAddress::Http("10.0.0.7:7008".to_owned())));
        assert_eq!(
            read("https://console.example"),
            Ok(ControlAddress::Https("console.example:443".to_owned()))
        );
        assert_eq!(read("https://[fd00::1]:8443/"), Ok(ControlAddress::Https("[fd00::1]:8443".to_owned())));
        for wrong in
            ["", "unix:", "unix:run", "http://host", "ftp://host:1", "https://", "http://h:1/x", "h:1"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
