//! What the handlers share.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use app::{Assets, Stage};
use axum::extract::FromRef;
use axum::http::{HeaderMap, header};
use control_plane::budgets::Budgets;
use control_plane::demo::Show;
use control_plane::spend::Spend;
use control_plane::store::Hash;
use control_plane::{Fleet, Identity};
use leptos::prelude::LeptosOptions;

/// Cheap to clone: each request has its own.
#[derive(Clone, FromRef)]
pub struct State {
    pub fleet: Arc<Fleet>,
    pub identity: Arc<Identity>,
    pub spend: Arc<Spend>,
    pub budgets: Arc<Budgets>,
    pub assets: Assets,
    pub origins: Origins,
    pub proxies: Proxies,
    pub shown: Shown,
    pub site: PathBuf,
    pub leptos: LeptosOptions,
    /// In a demonstration: it, and which part of it this is.
    pub stage: Option<Stage>,
}

impl State {
    pub fn new(
        fleet: Arc<Fleet>,
        identity: Arc<Identity>,
        spend: Arc<Spend>,
        budgets: Arc<Budgets>,
        assets: Assets,
        site: PathBuf,
        origins: Vec<String>,
    ) -> Self {
        let leptos = LeptosOptions::builder().output_name("frontend").build();
        Self {
            fleet,
            identity,
            spend,
            budgets,
            assets,
            origins: Origins::new(origins),
            proxies: Proxies(0),
            shown: Shown(None),
            site,
            leptos,
            stage: None,
        }
    }

    /// The same people's, with a demonstration's fleet or beside it.
    pub fn on(&self, stage: Stage, show: Option<&Show>) -> Self {
        let (fleet, spend, budgets) = match show {
            Some(show) => (&show.fleet, &show.spend, &show.budgets),
            None => (&self.fleet, &self.spend, &self.budgets),
        };
        let (fleet, spend, budgets) = (Arc::clone(fleet), Arc::clone(spend), Arc::clone(budgets));
        Self { fleet, spend, budgets, stage: Some(stage), ..self.clone() }
    }
}

/// How many proxies of ours a request came through: each adds the address that
/// it had it from to `X-Forwarded-For`. What stands before those is anybody's.
#[derive(Debug, Clone, Copy)]
pub struct Proxies(pub u8);

impl Proxies {
    /// Where a request came from that `peer` handed over.
    pub fn address(self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        if self.0 == 0 {
            return peer;
        }
        let values = headers.get_all("x-forwarded-for").into_iter().filter_map(|value| value.to_str().ok());
        let chain: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
        chain.iter().rev().nth(usize::from(self.0) - 1).and_then(|address| address.parse().ok())
    }
}

/// What the first of our proxies shows of itself, by its digest; nothing where
/// there is none that does.
#[derive(Debug, Clone, Copy)]
pub struct Shown(pub Option<Hash>);

impl Shown {
    pub const HEADER: &str = "x-origin-secret";

    /// Whether a request came through that proxy, for all that can be told.
    pub fn by(self, headers: &HeaderMap) -> bool {
        self.0.is_none_or(|expected| {
            headers.get(Self::HEADER).is_some_and(|shown| Hash::of(shown.as_bytes()) == expected)
        })
    }
}

/// The `Origin`s that the console is reached by.
#[derive(Debug, Clone)]
pub struct Origins(Arc<[String]>);

impl Origins {
    pub fn new(origins: Vec<String>) -> Self {
        Self(origins.into())
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The one that links are made with.
    pub fn first(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// Whether a page of ours sent this. A request without `Origin` is no
    /// browser's WebSocket.
    pub fn allow(&self, headers: &HeaderMap) -> bool {
        let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
        origin.is_some_and(|origin| self.iter().any(|known| known == origin))
    }

    /// Whether a request to this `Host` is meant for the console.
    pub fn names(&self, host: &str) -> bool {
        self.iter().any(|origin| origin.split_once("://").is_some_and(|(_, known)| known == host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_come_through_our_proxy_shows_nothing() {
        let mut headers = HeaderMap::new();
        let shown = Shown(Some(Hash::of(b"a secret")));
        assert!(Shown(None).by(&headers) && !shown.by(&headers));
        headers.insert(Shown::HEADER, "A secret".parse().unwrap());
        assert!(!shown.by(&headers));
        headers.insert(Shown::HEADER, "a secret".parse().unwrap());
        assert!(shown.by(&headers));
    }

    #[test]
    fn only_what_our_own_proxies_add_is_believed() {
        let peer = Some("10.0.0.9".parse().unwrap());
        let mut headers = HeaderMap::new();
        let told = |proxies: u8, headers: &HeaderMap| {
            Proxies(proxies).address(peer, headers).map(|address| address.to_string())
        };
        assert_eq!(told(1, &headers), None);
        headers.append("x-forwarded-for", "1.1.1.1, 2.2.2.2".parse().unwrap());
        headers.append("x-forwarded-for", "3.3.3.3".parse().unwrap());
        assert_eq!(told(0, &headers).unwrap(), "10.0.0.9");
        assert_eq!(told(1, &headers).unwrap(), "3.3.3.3");
        assert_eq!(told(2, &headers).unwrap(), "2.2.2.2");
        assert_eq!(told(9, &headers), None);
    }
}
