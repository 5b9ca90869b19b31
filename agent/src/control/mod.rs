//! The control plane, as an instance sees it.

mod bucket;
mod client;
mod link;
mod objects;

pub use client::{Client, Failure};
pub use link::{EnrolError, Link, enrol, is_over};

use std::sync::Arc;

use domain::protocol::Objects;
use repository::ObjectStore;
use tokio::runtime::Handle;

/// Where the control plane says that the repository's objects are.
pub fn objects(link: &Link, at: &Objects) -> Arc<dyn ObjectStore> {
    match at {
        Objects::ControlPlane => Arc::new(objects::RemoteObjects::new(link.clone(), Handle::current())),
        Objects::Bucket(bucket) => Arc::new(bucket::open(link.clone(), bucket, Handle::current())),
    }
}
