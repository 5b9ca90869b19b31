//! Which operation of which service a request asks for.

use http::Method;
use http::request::Parts;
use hyper::body::Bytes;

/// The services that the engine speaks to through the emulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    DynamoDb,
    Sqs,
    Sts,
    S3,
}

#[derive(Debug)]
pub(crate) struct Operation {
    pub service: Service,
    /// As the service's API has it: no two that are used here have the same.
    pub name: String,
}

impl Operation {
    pub fn of(head: &Parts, body: &Bytes) -> Self {
        if let Some((service, name)) = header(head, "x-amz-target").and_then(|target| target.split_once('.'))
        {
            let service = if service.starts_with("DynamoDB") { Service::DynamoDb } else { Service::Sqs };
            return Self { service, name: name.to_owned() };
        }
        // `Credential=KEY/20261124/us-east-1/sts/aws4_request`
        let scope = header(head, "authorization").and_then(|value| value.split("/aws4_request").next());
        if scope.is_some_and(|scope| scope.ends_with("/sts")) {
            let form = String::from_utf8_lossy(body);
            let action = form.split('&').find_map(|pair| pair.strip_prefix("Action="));
            return Self { service: Service::Sts, name: action.unwrap_or_default().to_owned() };
        }
        Self { service: Service::S3, name: s3(head).to_owned() }
    }

    /// Whether DynamoDB says what it cost.
    pub fn tells_cost(&self) -> bool {
        let about_tables = ["Table", "TimeToLive", "ContinuousBackups"];
        self.service == Service::DynamoDb && !about_tables.iter().any(|what| self.name.contains(what))
    }
}

fn header<'a>(head: &'a Parts, name: &str) -> Option<&'a str> {
    head.headers.get(name)?.to_str().ok()
}

fn s3(head: &Parts) -> &'static str {
    let query = head.uri.query().unwrap_or_default();
    let of_bucket = head.uri.path().trim_matches('/').split('/').count() == 1;
    match head.method {
        Method::HEAD if of_bucket => "HeadBucket",
        Method::HEAD => "HeadObject",
        Method::GET if query.contains("list-type=2") => "ListObjectsV2",
        Method::GET => "GetObject",
        Method::PUT if query.contains("partNumber=") => "UploadPart",
        Method::PUT => "PutObject",
        Method::DELETE => "DeleteObject",
        Method::POST if query.contains("uploadId=") => "CompleteMultipartUpload",
        Method::POST => "CreateMultipartUpload",
        _ => "",
    }
}

impl Service {
    /// An error as the service says it: content type and body.
    pub fn error(self, code: &str) -> (&'static str, String) {
        let json = |of: &str| {
            serde_json::json!({ "__type": format!("{of}#{code}"), "message": "in a test" }).to_string()
        };
        let error = format!("<Error><Code>{code}</Code><Message>in a test</Message></Error>");
        match self {
            Self::DynamoDb => ("application/x-amz-json-1.0", json("com.amazonaws.dynamodb.v20120810")),
            Self::Sqs => ("application/x-amz-json-1.0", json("com.amazonaws.sqs")),
            Self::Sts => ("text/xml", format!("<ErrorResponse>{error}</ErrorResponse>")),
            Self::S3 => ("application/xml", error),
        }
    }
}
