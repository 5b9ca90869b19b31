//! Reading a cluster's tasks.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{DesiredStatus, Task};
use domain::agent::ProviderName;

use super::error::failed;
use super::{REQUEST_MAX, TRIES, TRY_MAX, task};
use crate::provider::ProviderError;
use crate::provider::witness::{Run, Witness};

/// `DescribeTasks` takes no more at once.
const DESCRIBED: usize = 100;

/// A cluster, this installation's alone.
pub struct Cluster {
    pub(super) client: Client,
    pub(super) name: String,
}

impl Cluster {
    pub fn new(sdk: &SdkConfig, name: String) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(std::time::Duration::from_secs(2))
            .operation_attempt_timeout(TRY_MAX)
            .operation_timeout(REQUEST_MAX)
            .build();
        let settings = aws_sdk_ecs::config::Builder::from(sdk)
            .retry_config(RetryConfig::standard().with_max_attempts(TRIES))
            .timeout_config(timeouts);
        Self { client: Client::from_conf(settings.build()), name }
    }

    pub(super) async fn describe(&self, arns: &[String]) -> Result<Vec<Task>, ProviderError> {
        let mut tasks = Vec::new();
        for batch in arns.chunks(DESCRIBED) {
            let described = self
                .client
                .describe_tasks()
                .cluster(&self.name)
                .set_tasks(Some(batch.to_vec()))
                .send()
                .await
                .map_err(|error| failed(None, "describing tasks", error))?;
            tasks.extend(described.tasks.unwrap_or_default());
        }
        Ok(tasks)
    }

    pub(super) async fn listed(&self, desired: DesiredStatus) -> Result<Vec<String>, ProviderError> {
        let listing = self.client.list_tasks().cluster(&self.name).desired_status(desired);
        let mut pages = listing.into_paginator().send();
        let mut arns = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failed(None, "listing tasks", error))?;
            arns.extend(page.task_arns.unwrap_or_default());
        }
        Ok(arns)
    }

    pub(super) async fn ended(&self) -> Result<Vec<Task>, ProviderError> {
        self.describe(&self.listed(DesiredStatus::Stopped).await?).await
    }
}

#[async_trait]
impl Witness for Cluster {
    fn name(&self) -> ProviderName {
        ProviderName::Fargate
    }

    /// Each task, of a run that has two both of them. Stopped ones ECS tells of
    /// for about an hour.
    async fn runs(&self) -> Result<Vec<Run>, ProviderError> {
        let mut tasks = self.describe(&self.listed(DesiredStatus::Running).await?).await?;
        tasks.extend(self.ended().await?);
        let mut runs: Vec<Run> = tasks.iter().filter_map(run).collect();
        // One that stopped between the two lists is in both: the later word holds.
        runs.sort_by(|a, b| (&a.name, a.ended_at).cmp(&(&b.name, b.ended_at)));
        runs.reverse();
        runs.dedup_by(|again, first| again.name == first.name);
        Ok(runs)
    }
}

fn run(task: &Task) -> Option<Run> {
    let word = task::word(task);
    let (started_at, purchase) = word.billed?;
    Some(Run {
        name: task.task_arn()?.to_owned(),
        instance: task::instance(task),
        started_at,
        ended_at: word.ended.map(|(at, _)| at),
        purchase: Some(purchase),
    })
}
