//! Sessions: how a browser came to be signed in, and what people know it by.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How a session was begun. Whatever proves who somebody is leads to the same
/// session, and is one more word here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// By a one-time sign-in link.
    Link,
    /// By the link of an invitation.
    Invitation,
    Password,
}

/// A text that is no way to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such way to a session")]
pub struct UnknownHow;

impl How {
    pub const ALL: [Self; 3] = [Self::Link, Self::Invitation, Self::Password];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Invitation => "invitation",
            Self::Password => "password",
        }
    }
}

impl FromStr for How {
    type Err = UnknownHow;

    fn from_str(text: &str) -> Result<Self, UnknownHow> {
        Self::ALL.into_iter().find(|how| how.as_str() == text).ok_or(UnknownHow)
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A browser and its system by their `User-Agent`, in the few words that tell
/// one's own apart: «Firefox · Linux». Empty where it names neither.
pub fn browser(user_agent: &str) -> String {
    // In this order: each also says the names of those after it.
    const BROWSERS: [(&str, &str); 7] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("CrOS", "ChromeOS"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let find = |known: [(&str, &'static str); 7]| {
        known.into_iter().find(|(word, _)| user_agent.contains(word)).map(|(_, name)| name)
    };
    let names = [find(BROWSERS), find(SYSTEMS)];
    names.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_read_as_it_is_written() {
        for how in How::ALL {
            assert_eq!(how.as_str().parse(), Ok(how));
            assert_eq!(serde_json::to_value(how).unwrap(), how.as_str());
        }
    }

    #[test]
    fn a_browser_is_told_in_a_few_words() {
        let chrome = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36";
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36 Edg/140.0";
        let safari = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/26.0 Safari/605.1.15";
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0";
        let told = [chrome, edge, safari, firefox, "curl/8"].map(browser);
        assert_eq!(told, ["Chrome · Android", "Edge · Windows", "Safari · macOS", "Firefox · Linux", ""]);
    }
}
