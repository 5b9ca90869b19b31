//! Signed requests to the services whose SDKs this program does without
//! (why: docs/decisions/0012-doctor-asks-by-itself.md).

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::{HeaderValue, Request};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(15);
const ANSWER_MAX: usize = 4 * 1024 * 1024;

/// A service: its name in signatures, in host names, and in `AWS_ENDPOINT_URL_…`.
#[derive(Clone, Copy)]
pub struct Service {
    name: &'static str,
    host: &'static str,
    variable: &'static str,
    /// Of the query protocol.
    version: &'static str,
}

pub const STS: Service = Service { name: "sts", host: "sts", variable: "STS", version: "2011-06-15" };
pub const IAM: Service = Service { name: "iam", host: "iam", variable: "IAM", version: "2010-05-08" };
pub const EC2: Service = Service { name: "ec2", host: "ec2", variable: "EC2", version: "2016-11-15" };
pub const ECR: Service = Service { name: "ecr", host: "api.ecr", variable: "ECR", version: "" };
pub const QUOTAS: Service =
    Service { name: "servicequotas", host: "servicequotas", variable: "SERVICE_QUOTAS", version: "" };

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refused {
    pub code: String,
    pub message: String,
}

impl Refused {
    fn unreachable(error: impl std::fmt::Display) -> Self {
        Self { code: "no answer".to_owned(), message: error.to_string() }
    }

    pub fn mend(&self) -> &'static str {
        match self.code.as_str() {
            "no answer" => "check the region, and that this machine reaches AWS",
            "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => "renew the credentials",
            "InvalidClientTokenId" | "UnrecognizedClientException" | "AuthFailure" => {
                "these credentials are not of an account here: check them, and the region"
            }
            "SignatureDoesNotMatch" | "InvalidSignatureException" => {
                "set this machine's clock; if it is right, the secret key is wrong"
            }
            code if code.contains("AccessDenied") || code.contains("Unauthorized") => {
                "run the doctor with credentials that may look (ReadOnlyAccess does)"
            }
            _ => "see the message",
        }
    }
}

/// Asks as somebody, in a region.
pub struct Asks {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    credentials: Credentials,
    pub region: String,
}

impl Asks {
    /// # Errors
    /// There are no credentials, or no certificates to trust.
    pub async fn new(sdk: &SdkConfig) -> Result<Self, String> {
        let provider = sdk.credentials_provider().ok_or("no credentials")?;
        let credentials = provider.provide_credentials().await;
        let credentials = credentials
            .map_err(|error| aws_sdk_sqs::error::DisplayErrorContext(&error).to_string())
            .map_err(|error| format!("no credentials: {error}"))?;
        let connector =
            HttpsConnectorBuilder::new().with_native_roots().map_err(|error| error.to_string())?;
        let client =
            Client::builder(TokioExecutor::new()).build(connector.https_or_http().enable_http1().build());
        let region = sdk.region().map(ToString::to_string).unwrap_or_default();
        Ok(Self { client, credentials, region })
    }

    /// By the JSON protocol.
    pub async fn json(&self, service: Service, target: &str, body: &Value) -> Result<Value, Refused> {
        let answer = self.post(service, "application/x-amz-json-1.1", Some(target), body.to_string()).await?;
        serde_json::from_str(&answer).map_err(Refused::unreachable)
    }

    /// By the query protocol; answers in XML.
    pub async fn query(
        &self,
        service: Service,
        action: &str,
        parameters: &[(String, String)],
    ) -> Result<String, Refused> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action).append_pair("Version", service.version);
        form.extend_pairs(parameters);
        self.post(service, "application/x-www-form-urlencoded", None, form.finish()).await
    }

    async fn post(
        &self,
        service: Service,
        content_type: &'static str,
        target: Option<&str>,
        body: String,
    ) -> Result<String, Refused> {
        let request = self.signed(service, content_type, target, body).map_err(Refused::unreachable)?;
        let exchange = async {
            let answer = self.client.request(request).await.map_err(|error| {
                // The client's own words hide what lies beneath.
                Refused::unreachable(aws_sdk_sqs::error::DisplayErrorContext(&error))
            })?;
            let status = answer.status();
            let read = Limited::new(answer.into_body(), ANSWER_MAX).collect().await;
            let text = read.map_err(Refused::unreachable)?.to_bytes();
            let text = String::from_utf8_lossy(&text).into_owned();
            if status.is_success() { Ok(text) } else { Err(refused(status, &text)) }
        };
        tokio::time::timeout(PATIENCE, exchange).await.map_err(Refused::unreachable)?
    }

    fn signed(
        &self,
        service: Service,
        content_type: &'static str,
        target: Option<&str>,
        body: String,
    ) -> Result<Request<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
        let url = self.endpoint(service);
        let mut headers = vec![("content-type", content_type.to_owned())];
        headers.extend(target.map(|target| ("x-amz-target", target.to_owned())));
        let signable = SignableRequest::new(
            "POST",
            &url,
            headers.iter().map(|(name, value)| (*name, value.as_str())),
            SignableBody::Bytes(body.as_bytes()),
        )?;
        let identity = self.credentials.clone().into();
        // IAM is one for all regions, and lives in this one.
        let region = if service.name == "iam" { "us-east-1" } else { &self.region };
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(service.name)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let (instructions, _) = sign(signable, &parameters)?.into_parts();
        let mut request = Request::post(&url).body(Full::new(Bytes::from(body)))?;
        for (name, value) in headers {
            request.headers_mut().insert(name, HeaderValue::from_str(&value)?);
        }
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }

    fn endpoint(&self, service: Service) -> String {
        let told = |name: &str| std::env::var(name).ok().filter(|url| !url.is_empty());
        let told =
            told(&format!("AWS_ENDPOINT_URL_{}", service.variable)).or_else(|| told("AWS_ENDPOINT_URL"));
        if let Some(told) = told {
            return format!("{}/", told.trim_end_matches('/'));
        }
        let suffix = if self.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        match service.name {
            "iam" => format!("https://iam.{suffix}/"),
            _ => format!("https://{}.{}.{suffix}/", service.host, self.region),
        }
    }
}

/// The service's own words: JSON, or XML in one of two forms.
fn refused(status: http::StatusCode, text: &str) -> Refused {
    if let Ok(answer) = serde_json::from_str::<Value>(text) {
        let of =
            |names: [&str; 2]| names.iter().find_map(|name| answer.get(*name)?.as_str()).unwrap_or_default();
        let code = of(["__type", "code"]).rsplit('#').next().unwrap_or_default().to_owned();
        return Refused { code, message: of(["message", "Message"]).to_owned() };
    }
    let (code, message) = (texts(text, "Code").pop(), texts(text, "Message").pop());
    Refused { code: code.unwrap_or_else(|| status.to_string()), message: message.unwrap_or_default() }
}

/// The texts of all elements of a name.
pub fn texts(xml: &str, name: &str) -> Vec<String> {
    let Ok(document) = roxmltree::Document::parse(xml) else { return Vec::new() };
    let elements = document.descendants().filter(|node| node.tag_name().name() == name);
    elements.filter_map(|node| node.text().map(str::to_owned)).collect()
}
