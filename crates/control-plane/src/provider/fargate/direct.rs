//! Where browsers reach an instance by themselves: at a name that is made from
//! its address.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

const V4: &str = "{ipv4}";
const V6: &str = "{ipv6}";
/// The port that instances listen on for browsers, unless the URL names one.
const PORT: u16 = 443;

/// `wss://{ipv6}.agents.example.org:7443`: in the place of `{ipv6}` or `{ipv4}`
/// comes the address with hyphens for its colons or dots. Behind a balancer it
/// may be in the path: `wss://agents.example.org/{ipv4}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectUrl {
    pattern: String,
    /// Where instances listen.
    pub port: u16,
}

/// A text that is no such pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a direct URL begins with wss:// and has {{ipv4}} or {{ipv6}} in it, once, as a whole label or part of the path"
)]
pub struct InvalidDirectUrl;

impl DirectUrl {
    /// With the port that instances listen on, where it is not the URL's: before
    /// them is a balancer.
    #[must_use]
    pub fn listening_on(self, port: Option<u16>) -> Self {
        Self { port: port.unwrap_or(self.port), ..self }
    }

    /// An instance's, without a path of its own.
    pub(super) fn of(&self, address: Option<IpAddr>, wide: Option<Ipv6Addr>) -> Option<String> {
        if self.pattern.contains(V6) {
            return Some(self.pattern.replace(V6, &wide?.to_string().replace(':', "-")));
        }
        Some(self.pattern.replace(V4, &address?.to_string().replace(['.', ':'], "-")))
    }

    /// All of them, as a page's policy names them.
    pub(super) fn source(&self) -> String {
        let authority = self.pattern.trim_start_matches("wss://").split('/').next().unwrap_or_default();
        format!("wss://{}", authority.replace(V4, "*").replace(V6, "*"))
    }
}

impl FromStr for DirectUrl {
    type Err = InvalidDirectUrl;

    fn from_str(text: &str) -> Result<Self, InvalidDirectUrl> {
        let rest = text.strip_prefix("wss://").ok_or(InvalidDirectUrl)?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| InvalidDirectUrl)?),
            None => (authority, PORT),
        };
        let places = text.matches(V4).count() + text.matches(V6).count();
        // A page's policy takes a star for the first label only.
        let leads =
            [V4, V6].iter().any(|place| host.strip_prefix(place).is_some_and(|rest| rest.starts_with('.')));
        let plain = |part: &str| {
            let part = part.replace(V4, "").replace(V6, "");
            part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_~/".contains(&byte))
        };
        let in_path = path.contains(V4) || path.contains(V6);
        if places != 1 || !(leads || in_path) || host.is_empty() || !plain(host) || !plain(path) {
            return Err(InvalidDirectUrl);
        }
        Ok(Self { pattern: text.trim_end_matches('/').to_owned(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instances_name_is_made_from_its_address() {
        let url: DirectUrl = "wss://{ipv6}.agents.example.org:7443".parse().unwrap();
        let wide = Some("2600:1f18::7".parse().unwrap());
        assert_eq!(url.of(None, wide).unwrap(), "wss://2600-1f18--7.agents.example.org:7443");
        assert_eq!((url.of(Some("10.0.0.7".parse().unwrap()), None), url.port), (None, 7443));
        assert_eq!(url.source(), "wss://*.agents.example.org:7443");
        let url: DirectUrl = "wss://agents.example.org/{ipv4}/".parse().unwrap();
        assert_eq!(
            url.of(Some("10.0.0.7".parse().unwrap()), wide).unwrap(),
            "wss://agents.example.org/10-0-0-7"
        );
        assert_eq!((url.source().as_str(), url.port), ("wss://agents.example.org", 443));
        assert_eq!(url.listening_on(Some(8080)).port, 8080);
    }

    #[test]
    fn what_makes_no_name_is_refused() {
        for wrong in [
            "ws://{ipv4}.a.b",
            "wss://agents.example.org",
            "wss://{ipv4}.{ipv6}.a.b",
            "wss://x{ipv4}.a.b",
            "wss://a.{ipv4}.b",
            "wss://{ipv4}",
            "wss://{ipv4}.a.b; script-src *",
            "wss://{ipv4}.a.b:no",
            "wss:///{ipv4}",
        ] {
            assert!(wrong.parse::<DirectUrl>().is_err(), "{wrong}");
        }
    }
}
