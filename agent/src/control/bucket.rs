//! The agent's repository in a bucket, by keys that the control plane gives.

use std::pin::Pin;
use std::time::{Duration, SystemTime};

use domain::protocol::{Bucket, BucketKeys};
use repository::s3::{Endpoint, Place, RenewError, Renews, S3Store, TemporaryKeys, client_with};
use tokio::runtime::Handle;

use super::link::Link;

/// The part of the bucket that is the instance's.
pub fn open(link: Link, bucket: &Bucket, runtime: Handle) -> S3Store {
    let endpoint = Endpoint { region: bucket.region.clone(), url: bucket.endpoint.clone() };
    let place = Place { bucket: bucket.name.clone(), prefix: bucket.prefix.clone() };
    S3Store::new(client_with(&endpoint, link), place, runtime)
}

impl Renews for Link {
    fn renew(&self) -> Pin<Box<dyn Future<Output = Result<TemporaryKeys, RenewError>> + Send + '_>> {
        Box::pin(async {
            let keys: BucketKeys =
                self.bucket_keys().await.map_err(|failure| RenewError(failure.to_string()))?;
            let until = Duration::from_millis(keys.expires_at.0.try_into().unwrap_or(0));
            Ok(TemporaryKeys {
                id: keys.id,
                secret: keys.secret.expose().to_owned(),
                session: keys.session.expose().to_owned(),
                expires_at: SystemTime::UNIX_EPOCH + until,
            })
        })
    }
}
