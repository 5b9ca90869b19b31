//! Who asks, what the account allows, and whether there is anything to run.

use aws_config::SdkConfig;
use aws_sdk_ecs::error::DisplayErrorContext;
use aws_sdk_ecs::types::TaskDefinition;
use serde_json::{Value, json};

use super::ask::{Asks, ECR, QUOTAS, STS, texts};
use super::{Finding, Findings};
use crate::aws::Installation;
use crate::provider::fargate::Fargate;

/// The longest that Fargate gives a task to save, in seconds.
const STOP_TIMEOUT: i32 = 120;

/// Whom the credentials are of.
pub struct Caller {
    pub account: String,
    pub arn: String,
}

pub async fn credentials(asks: &Asks) -> (Vec<Finding>, Option<Caller>) {
    let mut found = Findings::of("credentials");
    let caller = match asks.query(STS, "GetCallerIdentity", &[]).await {
        Ok(answer) => {
            let of = |name| texts(&answer, name).pop().unwrap_or_default();
            let caller = Caller { account: of("Account"), arn: of("Arn") };
            found.good(format!("{} in account {}, region {}", caller.arn, caller.account, asks.region));
            Some(caller)
        }
        Err(refused) => {
            found.bad(refused.to_string(), refused.mend());
            None
        }
    };
    (found.all, caller)
}

/// vCPUs that the account may run at once: Spot's quota, then on demand's.
const VCPUS: [(&str, &str); 2] = [("L-36FBB829", "Fargate Spot"), ("L-3032A538", "Fargate on demand")];

pub async fn quotas(asks: &Asks) -> Vec<Finding> {
    let mut found = Findings::of("quotas");
    for (code, name) in VCPUS {
        let body = json!({"ServiceCode": "fargate", "QuotaCode": code});
        let value = match asks.json(QUOTAS, "ServiceQuotasV20190624.GetServiceQuota", &body).await {
            Ok(answer) => answer.pointer("/Quota/Value").and_then(Value::as_f64).unwrap_or_default(),
            Err(refused) => {
                found.unseen(&format!("the quota of {name} ({code})"), &refused);
                continue;
            }
        };
        let agents = (value / 0.5).floor();
        let text = format!("{name}: {value} vCPUs at once, so {agents} awake agents of size standard");
        if value < 4.0 {
            found.doubtful(text, format!("ask for more: Service Quotas, AWS Fargate, {code}"));
        } else {
            found.good(text);
        }
    }
    found.all
}

pub async fn cluster(sdk: &SdkConfig, installation: &Installation) -> Vec<Finding> {
    let mut found = Findings::of("cluster");
    let provider = Fargate::new(sdk, installation.fargate.clone());
    if let Err(why) = provider.check().await {
        found.bad(why, "name the cluster and the task definitions that infra/'s template made");
        return found.all;
    }
    let client = aws_sdk_ecs::Client::new(sdk);
    let config = &installation.fargate;
    let described = client.describe_clusters().clusters(&config.cluster).send().await;
    let described = described.map(|answer| answer.clusters.unwrap_or_default()).unwrap_or_default();
    let providers: Vec<_> =
        described.iter().flat_map(|cluster| cluster.capacity_providers()).cloned().collect();
    for wanted in ["FARGATE_SPOT", "FARGATE"] {
        if !providers.iter().any(|provider| provider == wanted) {
            let mend = format!(
                "aws ecs put-cluster-capacity-providers --cluster {} --capacity-providers FARGATE FARGATE_SPOT \
                 --default-capacity-provider-strategy capacityProvider=FARGATE_SPOT,weight=1",
                config.cluster
            );
            found.bad(format!("{} has no capacity provider {wanted}", config.cluster), mend);
        }
    }
    for family in families(installation) {
        if let Some(definition) = definition(&client, family).await {
            task(&mut found, family, &definition, &config.container);
        }
    }
    if found.all.is_empty() {
        found.good(format!("{} and its task definitions", config.cluster));
    }
    found.all
}

fn task(found: &mut Findings, family: &str, definition: &TaskDefinition, container: &str) {
    let template = "deploy the template again, or register a revision that is as in it";
    if let Some(role) = definition.task_role_arn() {
        let text = format!("{family} has the task role {role}: the tenant's programs could use it");
        found.bad(text, "take `taskRoleArn` out: instances get keys of their own");
    }
    let containers = definition.container_definitions();
    let Some(agent) = containers.iter().find(|each| each.name() == Some(container)) else { return };
    if agent.stop_timeout() != Some(STOP_TIMEOUT) {
        found
            .bad(format!("{family}: `stopTimeout` is not {STOP_TIMEOUT}: a save is cut off early"), template);
    }
    let variables = agent.environment();
    let has = |name: &str| variables.iter().any(|variable| variable.name() == Some(name));
    if !has(domain::protocol::env::HOME) {
        found.bad(format!("{family} has no variable {}", domain::protocol::env::HOME), template);
    }
}

fn families(installation: &Installation) -> impl Iterator<Item = &str> {
    let config = &installation.fargate;
    [Some(config.x86.as_str()), config.arm.as_deref()].into_iter().flatten()
}

async fn definition(client: &aws_sdk_ecs::Client, family: &str) -> Option<TaskDefinition> {
    client.describe_task_definition().task_definition(family).send().await.ok()?.task_definition
}

pub async fn images(asks: &Asks, sdk: &SdkConfig, installation: &Installation) -> Vec<Finding> {
    let mut found = Findings::of("image");
    let client = aws_sdk_ecs::Client::new(sdk);
    for family in families(installation) {
        let Some(definition) = definition(&client, family).await else { continue };
        let containers = definition.container_definitions();
        let agent =
            containers.iter().find(|each| each.name() == Some(installation.fargate.container.as_str()));
        let Some(image) = agent.and_then(|agent| agent.image()) else { continue };
        let Some(named) = Image::of(image) else {
            found.doubtful(
                format!("{family} runs {image}, which is in no ECR repository of an account"),
                "make sure that tasks can pull it; a private ECR repository in the same region starts quickest",
            );
            continue;
        };
        let body = json!({
            "registryId": named.account, "repositoryName": named.repository, "imageIds": [named.version],
        });
        let target = "AmazonEC2ContainerRegistry_V20150921.DescribeImages";
        match asks.json(ECR, target, &body).await {
            Ok(answer) => {
                let size = answer.pointer("/imageDetails/0/imageSizeInBytes").and_then(Value::as_u64);
                let size =
                    size.map_or_else(String::new, |bytes| format!(", {} MB compressed", bytes / 1_000_000));
                found.good(format!("{image}{size}"));
                if named.region != asks.region {
                    let mend = "push it to this region too: pulling from another is slow and billed";
                    found.doubtful(format!("{image} is in another region than {}", asks.region), mend);
                }
            }
            Err(refused) if refused.code.ends_with("NotFoundException") => {
                found
                    .bad(format!("{family} runs {image}, which is not there"), "push it: infra/images/build");
            }
            Err(refused) => found.unseen(image, &refused),
        }
    }
    found.all
}

/// An image in a repository of ECR.
struct Image {
    account: String,
    region: String,
    repository: String,
    version: Value,
}

impl Image {
    /// `<account>.dkr.ecr.<region>.amazonaws.com/<repository>[:tag|@digest]`.
    fn of(name: &str) -> Option<Self> {
        let (registry, rest) = name.split_once('/')?;
        let (account, host) = registry.split_once(".dkr.ecr.")?;
        let region = host.split('.').next()?.to_owned();
        let (repository, version) = match (rest.split_once('@'), rest.split_once(':')) {
            (Some((repository, digest)), _) => (repository, json!({"imageDigest": digest})),
            (None, Some((repository, tag))) => (repository, json!({"imageTag": tag})),
            (None, None) => (rest, json!({"imageTag": "latest"})),
        };
        Some(Self { account: account.to_owned(), region, repository: repository.to_owned(), version })
    }
}

pub async fn definitions_roles(sdk: &SdkConfig, installation: &Installation) -> Vec<String> {
    let client = aws_sdk_ecs::Client::new(sdk);
    let mut roles = Vec::new();
    for family in families(installation) {
        let role = definition(&client, family).await.and_then(|found| found.execution_role_arn);
        roles.extend(role);
    }
    roles.sort();
    roles.dedup();
    roles
}

/// What an SDK said, with what lies beneath.
pub fn told(error: &(impl std::error::Error + 'static)) -> String {
    DisplayErrorContext(error).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_named_by_tag_or_digest() {
        let image = Image::of("111122223333.dkr.ecr.eu-west-1.amazonaws.com/openclaw/agent:v1").unwrap();
        assert_eq!((image.account.as_str(), image.region.as_str()), ("111122223333", "eu-west-1"));
        assert_eq!((image.repository.as_str(), image.version), ("openclaw/agent", json!({"imageTag": "v1"})));
        let image = Image::of("1.dkr.ecr.r.amazonaws.com/agent@sha256:ab").unwrap();
        assert_eq!(image.version, json!({"imageDigest": "sha256:ab"}));
        assert_eq!(
            Image::of("1.dkr.ecr.r.amazonaws.com/agent").unwrap().version,
            json!({"imageTag": "latest"})
        );
        assert!(Image::of("agent:latest").is_none());
        assert!(Image::of("docker.io/library/agent").is_none());
    }
}
