//! Where CloudWatch keeps what a task's daemon said, as its task definition has it.

use std::collections::HashMap;
use std::fmt::Write as _;

use domain::id::InstanceId;
use domain::journal::{Daemon, Stream};

use super::error::failed;
use super::{Fargate, ProviderError};

pub async fn daemon(fargate: &Fargate, instance: InstanceId) -> Result<Daemon, ProviderError> {
    let task = fargate.find(instance).await?;
    let task = task.as_ref();
    let definition = task.and_then(|task| task.task_definition_arn()).unwrap_or(&fargate.config.x86);
    let described =
        fargate.cluster.client.describe_task_definition().task_definition(definition).send().await;
    let described =
        described.map_err(|error| failed(Some(instance), "describing its task definition", error))?;
    let containers =
        described.task_definition().map(|found| found.container_definitions()).unwrap_or_default();
    let container = containers.iter().find(|one| one.name() == Some(fargate.config.container.as_str()));
    let options = container.and_then(|container| container.log_configuration()?.options());
    let arn = task.and_then(|task| task.task_arn());
    let stream = options.and_then(|options| stream(options, &fargate.config.container, arn));
    Ok(stream.map_or(Daemon::Nowhere, Daemon::Elsewhere))
}

/// By the options of the `awslogs` driver; `None` where another one logs.
fn stream(options: &HashMap<String, String>, container: &str, task: Option<&str>) -> Option<Stream> {
    let group = options.get("awslogs-group")?.clone();
    let (prefix, region) = (options.get("awslogs-stream-prefix"), options.get("awslogs-region"));
    let id = task.and_then(|arn| arn.rsplit('/').next());
    let name = prefix.zip(id).map(|(prefix, id)| format!("{prefix}/{container}/{id}"));
    let url = region.map(|region| {
        let page = format!("https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logsV2:");
        let events = name.as_ref().map(|name| format!("/log-events/{}", escaped(name)));
        format!("{page}log-groups/log-group/{}{}", escaped(&group), events.unwrap_or_default())
    });
    Some(Stream { group, name, url })
}

/// As the console's addresses have it: escaped twice, the second time with `$`.
fn escaped(name: &str) -> String {
    name.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => text.push(byte.into()),
            // A string takes it.
            _ => drop(write!(text, "$25{byte:02X}")),
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_stream_is_named_as_cloudwatch_names_it() {
        let options = options(&[
            ("awslogs-group", "/openclaw-cloud/one/agents"),
            ("awslogs-region", "eu-west-1"),
            ("awslogs-stream-prefix", "agent"),
        ]);
        let arn = "arn:aws:ecs:eu-west-1:123456789012:task/agents/0f3c";
        let page = "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Fopenclaw-cloud$252Fone$252Fagents";
        let expected = Stream {
            group: "/openclaw-cloud/one/agents".to_owned(),
            name: Some("agent/box/0f3c".to_owned()),
            url: Some(format!("{page}/log-events/agent$252Fbox$252F0f3c")),
        };
        assert_eq!(stream(&options, "box", Some(arn)), Some(expected.clone()));
        let group = Stream { name: None, url: Some(page.to_owned()), ..expected };
        assert_eq!(stream(&options, "box", None), Some(group));
    }

    #[test]
    fn another_driver_is_not_guessed_at() {
        assert_eq!(stream(&options(&[("splunk-url", "https://logs")]), "box", None), None);
    }
}
