//! Proves on the bucket itself what the rest relies on.

use std::future::Future;
use std::pin::Pin;

use aws_sdk_s3::primitives::ByteStream;
use sha2::{Digest as _, Sha256};

use super::error::{Refused, refused};
use super::keys::{RenewError, Renews, TemporaryKeys};
use super::{Bucket, client_with};
use crate::object::{Kind, ObjectName, place};

/// Keys that are not renewed.
struct Given(TemporaryKeys);

impl Renews for Given {
    fn renew(&self) -> Pin<Box<dyn Future<Output = Result<TemporaryKeys, RenewError>> + Send + '_>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

impl Bucket {
    /// Has an instance's keys for `prefix` given out, and proves that they
    /// write, read and remove there, that nothing is written over, and that the
    /// other prefix is out of their reach. Leaves nothing behind.
    ///
    /// # Errors
    /// What does not hold.
    pub async fn prove(&self, prefix: &str, other: &str) -> Result<(), String> {
        let keys = self.keys(prefix.to_owned(), "doctor").await.map_err(|error| error.to_string())?;
        let client = client_with(&self.endpoint, Given(keys));
        let content = b"openclaw-cloud doctor".as_slice();
        let name: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        let name: ObjectName = name.parse().map_err(|_| "a digest is no name")?;
        let key = |prefix: &str| format!("{prefix}{}", place(Kind::Snapshot, &name));
        let put = |key: String| {
            let put = client.put_object().bucket(&self.name).key(key).if_none_match("*");
            put.body(ByteStream::from_static(content)).send()
        };
        let own = key(prefix);
        // One that an earlier look left behind, cut short.
        let _ = client.delete_object().bucket(&self.name).key(&own).send().await;
        put(own.clone()).await.map_err(|error| wrong("writing", refused(error)))?;
        let read = client.get_object().bucket(&self.name).key(&own).send().await;
        let again = put(own.clone()).await.map_err(refused);
        let removed = client.delete_object().bucket(&self.name).key(&own).send().await;
        read.map_err(|error| wrong("reading", refused(error)))?;
        if !matches!(again, Err(Refused::AlreadyThere)) {
            return Err("an object was written over: S3 did not hold to `If-None-Match`".to_owned());
        }
        removed.map_err(|error| wrong("removing a snapshot's entry", refused(error)))?;
        let listed = client.list_objects_v2().bucket(&self.name).prefix(other).send().await;
        let strayed = put(key(other)).await;
        if strayed.is_ok() {
            let _ = self.client.delete_object().bucket(&self.name).key(key(other)).send().await;
        }
        if listed.is_ok() || strayed.is_ok() {
            return Err("an instance's keys reach another agent's objects".to_owned());
        }
        Ok(())
    }

    /// Whether uploads that were broken off are kept, and billed, for ever.
    pub async fn keeps_unfinished(&self) -> bool {
        let asked = self.client.get_bucket_lifecycle_configuration().bucket(&self.name).send().await;
        let rules = asked.ok().and_then(|answer| answer.rules).unwrap_or_default();
        !rules.iter().any(|rule| rule.abort_incomplete_multipart_upload().is_some())
    }

    /// Whether anything keeps the bucket from becoming public.
    pub async fn may_be_public(&self) -> bool {
        let asked = self.client.get_public_access_block().bucket(&self.name).send().await;
        let block = asked.ok().and_then(|answer| answer.public_access_block_configuration);
        !block.is_some_and(|block| {
            let all = [
                block.block_public_acls,
                block.ignore_public_acls,
                block.block_public_policy,
                block.restrict_public_buckets,
            ];
            all.iter().all(|part| *part == Some(true))
        })
    }
}

fn wrong(doing: &str, why: Refused) -> String {
    format!("{doing} by an instance's keys: {}", why.into_object_error("the object"))
}
