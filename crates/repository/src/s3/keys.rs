//! Short-lived keys that reach one prefix and nothing else.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_s3::error::DisplayErrorContext;
use serde_json::json;

use super::Place;
use crate::object::Kind;

/// The longest that STS gives to one role by way of another, in seconds.
const LIFE_SECS: i32 = 3600;

/// Keys for one prefix. Secret: their `Debug` shows nothing.
#[derive(Clone)]
pub struct TemporaryKeys {
    pub id: String,
    pub secret: String,
    pub session: String,
    pub expires_at: SystemTime,
}

impl fmt::Debug for TemporaryKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TemporaryKeys(until {:?})", self.expires_at)
    }
}

/// Why there are no keys.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no keys for the repository: {0}")]
pub struct RenewError(pub String);

/// Gives new keys when the old are about to end.
pub trait Renews: Send + Sync + 'static {
    fn renew(&self) -> Pin<Box<dyn Future<Output = Result<TemporaryKeys, RenewError>> + Send + '_>>;
}

pub(super) struct Provider(Box<dyn Renews>);

impl Provider {
    pub fn new(renews: impl Renews) -> Self {
        Self(Box::new(renews))
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("keys by the control plane")
    }
}

impl ProvideCredentials for Provider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let keys = self.0.renew().await;
            let keys = keys.map_err(CredentialsError::provider_error)?;
            Ok(Credentials::new(
                keys.id,
                keys.secret,
                Some(keys.session),
                Some(keys.expires_at),
                "control plane",
            ))
        })
    }
}

/// Gives keys out: the right to take the one role that may use the bucket,
/// each time narrowed to one prefix.
#[derive(Debug, Clone)]
pub struct Grants {
    client: aws_sdk_sts::Client,
    /// `arn:aws:iam::111122223333:role/…`.
    role: String,
}

impl Grants {
    pub fn new(sdk: &SdkConfig, role: String) -> Self {
        Self { client: aws_sdk_sts::Client::new(sdk), role }
    }

    /// Keys for the objects under `place`'s prefix: they read, add, and remove a
    /// snapshot's entry. `session` stands in AWS's own logs as who it was:
    /// letters, digits and `=,.@-`, 64 at most.
    pub async fn keys(&self, place: &Place, session: &str) -> Result<TemporaryKeys, RenewError> {
        let given = self
            .client
            .assume_role()
            .role_arn(&self.role)
            .role_session_name(session)
            .duration_seconds(LIFE_SECS)
            .policy(policy(self.partition(), place))
            .send()
            .await
            .map_err(|error| RenewError(DisplayErrorContext(&error).to_string()))?;
        let keys = given.credentials.ok_or_else(|| RenewError("STS gave none".to_owned()))?;
        let expires_at = SystemTime::try_from(keys.expiration)
            .unwrap_or_else(|_| SystemTime::now() + Duration::from_secs(900));
        Ok(TemporaryKeys {
            id: keys.access_key_id,
            secret: keys.secret_access_key,
            session: keys.session_token,
            expires_at,
        })
    }

    /// `aws`, or another for China and governments.
    fn partition(&self) -> &str {
        self.role.split(':').nth(1).unwrap_or("aws")
    }
}

fn policy(partition: &str, place: &Place) -> String {
    let Place { bucket, prefix } = place;
    let of = |what: &str| format!("arn:{partition}:s3:::{bucket}{what}");
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"],
                "Resource": of(&format!("/{prefix}*")),
            },
            {
                "Effect": "Allow",
                "Action": "s3:DeleteObject",
                "Resource": of(&format!("/{prefix}{}/*", Kind::Snapshot)),
            },
            {
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": of(""),
                "Condition": { "StringLike": { "s3:prefix": format!("{prefix}*") } },
            },
        ],
    })
    .to_string()
}
