//! Token buckets: how often may be called, and launched.

use std::collections::HashMap;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::Operation;
use crate::error::Refusal;

/// One bucket: its size, and how fast it fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    pub burst: u32,
    pub per_second: u32,
}

/// An account's quotas in one region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quotas {
    /// `RunTask` calls to Fargate, besides `cluster_resource_modify`.
    pub run_task: Rate,
    /// Tasks launched on demand.
    pub launch_on_demand: Rate,
    /// Tasks launched on Spot.
    pub launch_spot: Rate,
    /// `RunTask`, `StopTask`.
    pub cluster_resource_modify: Rate,
    /// `DescribeTasks`, `ListTasks`.
    pub cluster_resource_read: Rate,
    pub cluster_modify: Rate,
    pub cluster_read: Rate,
    pub task_definition_modify: Rate,
    pub task_definition_read: Rate,
    pub capacity_provider_read: Rate,
    pub tag_modify: Rate,
    pub tag_read: Rate,
    /// vCPUs that may run at once, on Spot and on demand. Told, not enforced: see
    /// [`crate::ShortageAnswer::VcpuQuota`].
    pub vcpus: (u32, u32),
}

impl Quotas {
    /// The defaults of an account («Request throttling for the Amazon ECS API»
    /// and «AWS Fargate throttling quotas», read 2026-11).
    pub const fn aws() -> Self {
        const fn rate(burst: u32, per_second: u32) -> Rate {
            Rate { burst, per_second }
        }
        Self {
            run_task: rate(20, 20),
            launch_on_demand: rate(100, 20),
            launch_spot: rate(100, 20),
            cluster_resource_modify: rate(100, 40),
            cluster_resource_read: rate(100, 20),
            cluster_modify: rate(20, 1),
            cluster_read: rate(50, 20),
            task_definition_modify: rate(20, 1),
            task_definition_read: rate(50, 20),
            capacity_provider_read: rate(50, 20),
            tag_modify: rate(20, 10),
            tag_read: rate(50, 20),
            vcpus: (6, 6),
        }
    }

    /// `GetServiceQuota` of Service Quotas.
    pub(crate) fn told(&self, request: &Value) -> Result<Value, Refusal> {
        let value = match (request["ServiceCode"].as_str(), request["QuotaCode"].as_str()) {
            (Some("fargate"), Some("L-36FBB829")) => self.vcpus.0,
            (Some("fargate"), Some("L-3032A538")) => self.vcpus.1,
            _ => return Err(Refusal::client("NoSuchResourceException", "there is no such quota")),
        };
        Ok(json!({"Quota": {"QuotaCode": request["QuotaCode"], "Value": f64::from(value)}}))
    }

    fn of(&self, bucket: Bucket) -> Rate {
        use Operation as O;
        match bucket {
            Bucket::RunTask => self.run_task,
            Bucket::Launch { spot: false } => self.launch_on_demand,
            Bucket::Launch { spot: true } => self.launch_spot,
            Bucket::Group(operation) => match operation {
                O::RunTask | O::StopTask => self.cluster_resource_modify,
                O::DescribeTasks | O::ListTasks => self.cluster_resource_read,
                O::CreateCluster | O::PutClusterCapacityProviders => self.cluster_modify,
                O::DescribeClusters => self.cluster_read,
                O::RegisterTaskDefinition => self.task_definition_modify,
                O::DescribeTaskDefinition => self.task_definition_read,
                O::DescribeCapacityProviders => self.capacity_provider_read,
                O::TagResource => self.tag_modify,
                O::ListTagsForResource => self.tag_read,
            },
        }
    }
}

impl Default for Quotas {
    fn default() -> Self {
        Self::aws()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bucket {
    RunTask,
    Launch {
        spot: bool,
    },
    /// Named by one operation of the group that shares it.
    Group(Operation),
}

/// What the buckets hold now.
#[derive(Default)]
pub(crate) struct Buckets(HashMap<Bucket, (f64, Instant)>);

/// Too many calls or launches.
pub(crate) struct Exhausted;

impl Buckets {
    /// Takes what one call costs.
    pub fn call(&mut self, quotas: &Quotas, operation: Operation) -> Result<(), Exhausted> {
        let group = match operation {
            Operation::StopTask => Operation::RunTask,
            Operation::ListTasks => Operation::DescribeTasks,
            Operation::PutClusterCapacityProviders => Operation::CreateCluster,
            alone => alone,
        };
        self.take(quotas, Bucket::Group(group), 1)?;
        if operation == Operation::RunTask { self.take(quotas, Bucket::RunTask, 1) } else { Ok(()) }
    }

    /// Takes what launching costs: all of them or none.
    pub fn launch(&mut self, quotas: &Quotas, on_demand: u32, spot: u32) -> Result<(), Exhausted> {
        for (spot, tasks) in [(false, on_demand), (true, spot)] {
            let bucket = Bucket::Launch { spot };
            if self.fill(quotas, bucket) < f64::from(tasks) {
                return Err(Exhausted);
            }
        }
        self.take(quotas, Bucket::Launch { spot: false }, on_demand)?;
        self.take(quotas, Bucket::Launch { spot: true }, spot)
    }

    fn take(&mut self, quotas: &Quotas, bucket: Bucket, tokens: u32) -> Result<(), Exhausted> {
        let there = self.fill(quotas, bucket);
        if there < f64::from(tokens) {
            return Err(Exhausted);
        }
        self.0.entry(bucket).and_modify(|(level, _)| *level -= f64::from(tokens));
        Ok(())
    }

    /// What a bucket holds, with what ran in since it was looked at.
    fn fill(&mut self, quotas: &Quotas, bucket: Bucket) -> f64 {
        let (rate, now) = (quotas.of(bucket), Instant::now());
        let (level, at) = self.0.entry(bucket).or_insert((f64::from(rate.burst), now));
        let filled = now.duration_since(*at).as_secs_f64() * f64::from(rate.per_second);
        *level = (*level + filled).min(f64::from(rate.burst));
        *at = now;
        *level
    }
}
