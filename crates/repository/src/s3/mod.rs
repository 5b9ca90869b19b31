//! Objects in S3, under a prefix of one bucket, laid out as restic lays them out.
//!
//! An object is put only where none is, so that no run overwrites what another
//! wrote; its name is sent as its checksum, so that S3 itself refuses what was
//! damaged on its way.

mod error;
mod keys;
mod multipart;
mod prove;

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, IdentityCache, SharedCredentialsProvider, StalledStreamProtectionConfig};
use aws_sdk_s3::primitives::ByteStream;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use tokio::runtime::Handle;

use crate::object::{CONFIG_NAME, Kind, OBJECT_MAX, Object, ObjectError, ObjectName, ObjectStore, place};
use error::{Refused, refused};

pub use keys::{Grants, RenewError, Renews, TemporaryKeys};

/// Tries of one request, the first included.
const TRIES: u32 = 6;
const BACKOFF_MAX: Duration = Duration::from_secs(5);
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// One try: an object of 32 MiB at 10 Mbit/s.
const TRY_MAX: Duration = Duration::from_secs(30);
/// Keys are renewed so long before they end.
const RENEW_BEFORE: Duration = Duration::from_secs(300);
/// Larger objects go in several parts, several at a time.
const WHOLE_MAX: usize = 16 * 1024 * 1024;

/// Which part of which bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub bucket: String,
    /// Of every key; ends with `/`.
    pub prefix: String,
}

/// A prefix of a bucket. Its calls block: never from a task of the runtime.
#[derive(Debug, Clone)]
pub struct S3Store {
    client: Client,
    place: Place,
    runtime: Handle,
}

impl S3Store {
    /// By the rights that `client` has.
    pub fn new(client: Client, place: Place, runtime: Handle) -> Self {
        Self { client, place, runtime }
    }

    /// Removes every object under the prefix, however many. None is no error.
    pub fn purge(&self) -> Result<(), ObjectError> {
        loop {
            let page = self.runtime.block_on(
                self.client.list_objects_v2().bucket(&self.place.bucket).prefix(&self.place.prefix).send(),
            );
            let page = page.map_err(|error| refused(error).into_object_error(&self.place.prefix))?;
            if page.contents().is_empty() {
                return Ok(());
            }
            for object in page.contents() {
                if let Some(key) = object.key() {
                    self.remove_key(key)?;
                }
            }
        }
    }

    fn remove_key(&self, key: &str) -> Result<(), ObjectError> {
        let removed =
            self.runtime.block_on(self.client.delete_object().bucket(&self.place.bucket).key(key).send());
        match removed.map_err(refused) {
            Ok(_) | Err(Refused::NotThere) => Ok(()),
            Err(error) => Err(error.into_object_error(key)),
        }
    }

    fn key(&self, kind: Kind, name: &ObjectName) -> String {
        format!("{}{}", self.place.prefix, place(kind, name))
    }

    /// Its size in bytes.
    fn head(&self, key: &str) -> Result<Option<u64>, ObjectError> {
        let head =
            self.runtime.block_on(self.client.head_object().bucket(&self.place.bucket).key(key).send());
        match head.map_err(refused) {
            Ok(head) => {
                Ok(Some(head.content_length().and_then(|size| u64::try_from(size).ok()).unwrap_or(0)))
            }
            Err(Refused::NotThere) => Ok(None),
            Err(error) => Err(error.into_object_error(key)),
        }
    }

    fn get(&self, key: &str, range: Option<String>) -> Result<Bytes, ObjectError> {
        let get = self.client.get_object().bucket(&self.place.bucket).key(key).set_range(range);
        self.runtime.block_on(async {
            let object = get.send().await.map_err(|error| refused(error).into_object_error(key))?;
            let (mut body, mut content) = (object.body, BytesMut::new());
            while let Some(part) = body.next().await {
                let part = part.map_err(|error| ObjectError::Failed(format!("{key} broke off: {error}")))?;
                if content.len() + part.len() > OBJECT_MAX {
                    return Err(ObjectError::TooLarge);
                }
                content.extend_from_slice(&part);
            }
            Ok(content.freeze())
        })
    }

    /// Puts it where none is.
    fn put(&self, key: &str, checksum: Option<String>, content: Bytes) -> Result<(), Refused> {
        if content.len() > WHOLE_MAX {
            return self.runtime.block_on(multipart::put(&self.client, &self.place.bucket, key, content));
        }
        let put = self
            .client
            .put_object()
            .bucket(&self.place.bucket)
            .key(key)
            .if_none_match("*")
            .set_checksum_sha256(checksum)
            .body(ByteStream::from(content));
        self.runtime.block_on(put.send()).map(drop).map_err(refused)
    }
}

impl ObjectStore for S3Store {
    fn list(&self, kind: Kind) -> Result<Vec<Object>, ObjectError> {
        if kind == Kind::Config {
            let name: ObjectName = CONFIG_NAME.parse().expect("64 zeros are hexadecimal");
            let size = self.head(&self.key(kind, &name))?;
            return Ok(size.map(|size| Object { name, size }).into_iter().collect());
        }
        let prefix = format!("{}{kind}/", self.place.prefix);
        let listing = self.client.list_objects_v2().bucket(&self.place.bucket).prefix(&prefix);
        self.runtime.block_on(async {
            let mut pages = listing.into_paginator().send();
            let mut found = Vec::new();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|error| refused(error).into_object_error(&prefix))?;
                found.extend(page.contents().iter().filter_map(|object| {
                    let name = object.key()?.rsplit('/').next()?.parse().ok()?;
                    Some(Object { name, size: u64::try_from(object.size()?).ok()? })
                }));
            }
            Ok(found)
        })
    }

    fn contains(&self, kind: Kind, name: &ObjectName) -> Result<bool, ObjectError> {
        Ok(self.head(&self.key(kind, name))?.is_some())
    }

    fn read(&self, kind: Kind, name: &ObjectName) -> Result<Bytes, ObjectError> {
        self.get(&self.key(kind, name), None)
    }

    fn read_range(
        &self,
        kind: Kind,
        name: &ObjectName,
        offset: u64,
        length: u64,
    ) -> Result<Bytes, ObjectError> {
        if length > OBJECT_MAX as u64 {
            return Err(ObjectError::TooLarge);
        }
        let key = self.key(kind, name);
        let Some(last) = offset.checked_add(length).and_then(|end| end.checked_sub(1)) else {
            return Err(ObjectError::TooLarge);
        };
        if length == 0 {
            return Ok(Bytes::new());
        }
        let content = self.get(&key, Some(format!("bytes={offset}-{last}")))?;
        if content.len() as u64 == length {
            return Ok(content);
        }
        Err(ObjectError::NotFound(format!("{key} from {offset} on")))
    }

    fn write(&self, kind: Kind, name: &ObjectName, content: &[Bytes]) -> Result<(), ObjectError> {
        if content.iter().map(Bytes::len).sum::<usize>() > OBJECT_MAX {
            return Err(ObjectError::TooLarge);
        }
        let key = self.key(kind, name);
        let checksum = (kind != Kind::Config).then(|| checksum(name));
        let content: Bytes = match content {
            [whole] => whole.clone(),
            parts => parts.concat().into(),
        };
        match self.put(&key, checksum, content.clone()) {
            Ok(()) => Ok(()),
            // The name is the content's: what is there is the same.
            Err(Refused::AlreadyThere) if kind != Kind::Config => Ok(()),
            // Ours, whose answer was lost, or another run's: that one's holds.
            Err(Refused::AlreadyThere) => {
                if self.get(&key, None)? == content {
                    Ok(())
                } else {
                    Err(ObjectError::Fenced)
                }
            }
            Err(error) => Err(error.into_object_error(&key)),
        }
    }

    fn remove(&self, kind: Kind, name: &ObjectName) -> Result<(), ObjectError> {
        self.remove_key(&self.key(kind, name))
    }
}

/// The SHA-256 that a name is, as S3 spells it.
fn checksum(name: &ObjectName) -> String {
    let digit = |digit: u8| char::from(digit).to_digit(16).unwrap_or(0) as u8;
    let hash: Vec<u8> =
        name.as_str().as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect();
    BASE64_STANDARD.encode(hash)
}

/// A bucket, as whoever gives its parts out sees it.
#[derive(Debug)]
pub struct Bucket {
    client: Client,
    name: String,
    endpoint: Endpoint,
    grants: Grants,
    runtime: Handle,
}

impl Bucket {
    /// By the rights of this process; `role` is the one that is given out,
    /// narrowed to a part.
    pub fn new(sdk: &SdkConfig, endpoint: Endpoint, name: String, role: String, runtime: Handle) -> Self {
        let client = client_of(sdk, &endpoint);
        Self { client, name, endpoint, grants: Grants::new(sdk, role), runtime }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The part under a prefix, which ends with `/`.
    pub fn store(&self, prefix: String) -> S3Store {
        let place = Place { bucket: self.name.clone(), prefix };
        S3Store::new(self.client.clone(), place, self.runtime.clone())
    }

    /// Keys for that part; see [`Grants::keys`].
    pub async fn keys(&self, prefix: String, session: &str) -> Result<TemporaryKeys, RenewError> {
        self.grants.keys(&Place { bucket: self.name.clone(), prefix }, session).await
    }

    /// Whether the bucket is there and may be used.
    pub async fn check(&self) -> Result<(), ObjectError> {
        let head = self.client.head_bucket().bucket(&self.name).send().await;
        head.map(drop).map_err(|error| refused(error).into_object_error(&self.name))
    }
}

/// Where S3 answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub region: String,
    /// Another than AWS's own; buckets are then named in the path.
    pub url: Option<String>,
}

/// A client with the rights of the keys that `renews` gives.
pub fn client_with(endpoint: &Endpoint, renews: impl Renews) -> Client {
    let builder = Builder::new()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(endpoint.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(keys::Provider::new(renews)));
    Client::from_conf(settings(builder, endpoint).build())
}

/// A client with the rights of this process.
pub fn client_of(sdk: &SdkConfig, endpoint: &Endpoint) -> Client {
    Client::from_conf(settings(Builder::from(sdk), endpoint).build())
}

fn settings(builder: Builder, endpoint: &Endpoint) -> Builder {
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT_MAX).operation_attempt_timeout(TRY_MAX).build();
    let builder = builder
        .retry_config(RetryConfig::standard().with_max_attempts(TRIES).with_max_backoff(BACKOFF_MAX))
        .timeout_config(timeouts)
        .identity_cache(IdentityCache::lazy().buffer_time(RENEW_BEFORE).build())
        .stalled_stream_protection(StalledStreamProtectionConfig::enabled().grace_period(TRY_MAX).build());
    match &endpoint.url {
        Some(url) => builder.endpoint_url(url).force_path_style(true),
        None => builder,
    }
}
