//! What a fake is started with. What a test changes while it runs is in
//! [`Settings`].

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde_json::Value;

use crate::settings::Settings;

/// See each field; [`Config::default`] is an empty cluster on a free port that
/// answers at once and has the real quotas.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the API listens; port 0 takes a free one.
    pub listen: SocketAddr,
    pub region: String,
    /// Twelve digits.
    pub account: String,
    /// A cluster that is there from the start, with both of Fargate's capacity providers.
    pub cluster: String,
    /// `RegisterTaskDefinition` requests that are made at the start.
    pub task_definitions: Vec<Value>,
    /// The program and arguments of a container whose definition names no
    /// command, as an image would say it.
    pub program: Vec<String>,
    /// Absolute paths that every task has of its own, as an image and its
    /// volumes would give it. They are made in the task's folder, and a variable of
    /// its environment that is such a path, or lies in one, is given the real one.
    pub own_paths: Vec<String>,
    /// Subnets and the zone of each. Empty: every subnet exists.
    pub subnets: Vec<(String, String)>,
    /// Where tasks' folders are; they are kept there. None: a temporary folder.
    pub folder: Option<PathBuf>,
    pub events: EventTarget,
    /// All randomness comes from it: the same seed and the same order of
    /// launches give the same ids, delays and fates of events.
    pub seed: u64,
    pub settings: Settings,
}

/// Where events of tasks go, besides [`crate::Fake::events`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum EventTarget {
    #[default]
    Nowhere,
    /// An SQS queue, as a rule of EventBridge delivers to it. The API is asked
    /// at the URL's own host.
    Queue { url: String },
    /// `POST` of each event as JSON.
    Callback { url: String },
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            region: "us-east-1".to_owned(),
            account: "111122223333".to_owned(),
            cluster: "default".to_owned(),
            task_definitions: Vec::new(),
            program: Vec::new(),
            own_paths: Vec::new(),
            subnets: Vec::new(),
            folder: None,
            events: EventTarget::Nowhere,
            seed: 1,
            settings: Settings::default(),
        }
    }
}
