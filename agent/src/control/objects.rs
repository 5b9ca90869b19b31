//! The agent's repository, kept by the control plane.

use bytes::Bytes;
use domain::protocol::control;
use http::{Method, StatusCode};
use repository::{Kind, OBJECT_MAX, Object, ObjectError, ObjectName, ObjectStore};
use tokio::runtime::Handle;

use super::client::{Ask, Failure};
use super::link::Link;

/// The most that a listing may hold: some 600,000 objects.
const LISTING_MAX: usize = 64 * 1024 * 1024;

/// Objects by HTTP. Its calls block: never from a task of the runtime.
pub struct RemoteObjects {
    link: Link,
    runtime: Handle,
}

impl RemoteObjects {
    pub fn new(link: Link, runtime: Handle) -> Self {
        Self { link, runtime }
    }

    fn ask(&self, ask: Ask) -> Result<Bytes, ObjectError> {
        let path = ask.path.clone();
        self.runtime.block_on(self.link.ask(ask)).map_err(|failure| match failure.status() {
            Some(StatusCode::NOT_FOUND) => ObjectError::NotFound(path),
            Some(StatusCode::CONFLICT) => ObjectError::Fenced,
            Some(StatusCode::INSUFFICIENT_STORAGE) => ObjectError::Full,
            Some(StatusCode::PAYLOAD_TOO_LARGE) => ObjectError::TooLarge,
            _ => ObjectError::Failed(failure.to_string()),
        })
    }
}

fn ask(method: Method, kind: Kind, name: Option<&ObjectName>) -> Ask {
    let mut path = format!("{}/{kind}", control::REPOSITORY);
    if let Some(name) = name {
        path.push('/');
        path.push_str(name.as_str());
    }
    Ask { method, path, token: None, range: None, body: Vec::new(), answer_max: OBJECT_MAX }
}

impl ObjectStore for RemoteObjects {
    fn list(&self, kind: Kind) -> Result<Vec<Object>, ObjectError> {
        let answer = self.ask(Ask { answer_max: LISTING_MAX, ..ask(Method::GET, kind, None) })?;
        let senseless = |error: &dyn std::fmt::Display| {
            ObjectError::Failed(Failure::Senseless(error.to_string()).to_string())
        };
        let listed: Vec<(String, u64)> =
            serde_json::from_slice(&answer).map_err(|error| senseless(&error))?;
        let object = |(name, size): (String, u64)| {
            let name = name.parse().map_err(|error| senseless(&error))?;
            Ok(Object { name, size })
        };
        listed.into_iter().map(object).collect()
    }

    fn read(&self, kind: Kind, name: &ObjectName) -> Result<Bytes, ObjectError> {
        self.ask(ask(Method::GET, kind, Some(name)))
    }

    fn read_range(
        &self,
        kind: Kind,
        name: &ObjectName,
        offset: u64,
        length: u64,
    ) -> Result<Bytes, ObjectError> {
        let Some(last) = offset.checked_add(length).and_then(|end| end.checked_sub(1)) else {
            return Err(ObjectError::TooLarge);
        };
        if length == 0 {
            return Ok(Bytes::new());
        }
        let answer = self.ask(Ask { range: Some((offset, last)), ..ask(Method::GET, kind, Some(name)) })?;
        if answer.len() as u64 == length {
            return Ok(answer);
        }
        Err(ObjectError::Failed(format!("{length} bytes were asked for and {} came", answer.len())))
    }

    fn write(&self, kind: Kind, name: &ObjectName, content: &[Bytes]) -> Result<(), ObjectError> {
        self.ask(Ask { body: content.to_vec(), ..ask(Method::PUT, kind, Some(name)) }).map(drop)
    }

    fn remove(&self, kind: Kind, name: &ObjectName) -> Result<(), ObjectError> {
        match self.ask(ask(Method::DELETE, kind, Some(name))) {
            Err(ObjectError::NotFound(_)) => Ok(()),
            answer => answer.map(drop),
        }
    }
}
