//! `RunTask`, place by place, until one has room.

use aws_sdk_ecs::error::ProvideErrorMetadata as _;
use aws_sdk_ecs::operation::run_task::RunTaskOutput;
use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, CapacityProviderStrategyItem, ContainerOverride, KeyValuePair,
    NetworkConfiguration, Tag, Task, TaskOverride,
};
use domain::id::InstanceId;
use domain::protocol::env;
use domain::size::Size;
use sha2::{Digest as _, Sha256};

use super::error::{Refusal, is_capacity, refusal};
use super::{Fargate, OnDemand, task};
use crate::mend::mend;
use crate::provider::{Launch, LaunchSpec, ProviderError};

/// Where to try: one of the definitions, some of the subnets, Spot or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placement {
    pub definition: String,
    pub subnets: Vec<String>,
    pub capacity_provider: &'static str,
}

/// Every place, in the order in which they are tried: Spot before on demand,
/// all subnets before each, x86 before ARM.
fn placements(config: &super::Config, on_demand: bool) -> Vec<Placement> {
    let mut all = Vec::new();
    let providers: &[&str] = match config.on_demand {
        OnDemand::WhenSpotIsFull if on_demand => &["FARGATE_SPOT", "FARGATE"],
        _ => &["FARGATE_SPOT"],
    };
    for &capacity_provider in providers {
        for definition in [Some(&config.x86), config.arm.as_ref()].into_iter().flatten() {
            let whole = std::iter::once(config.subnets.clone());
            let each = config.subnets.iter().map(|subnet| vec![subnet.clone()]);
            let each = each.take(if config.subnets.len() > 1 { config.subnets.len() } else { 0 });
            all.extend(whole.chain(each).map(|subnets| Placement {
                definition: definition.clone(),
                subnets,
                capacity_provider,
            }));
        }
    }
    all
}

pub async fn launch(fargate: &Fargate, spec: &LaunchSpec) -> Result<Launch, ProviderError> {
    let instance = spec.instance;
    let mut lack = String::new();
    for (index, placement) in placements(&fargate.config, spec.on_demand).iter().enumerate() {
        // The first turn was its caller's to wait for.
        if index > 0 {
            fargate.pace.turn(spec.owner).await;
        }
        let answer = run_task(fargate, spec, placement, index).await;
        let refusal = match answer {
            Ok(answer) => match outcome(answer) {
                Ok(task) if task::is_news(&task, spec.now) => return Ok(told(fargate, instance, &task)),
                // The answer to the first call, which is what a repeated one gets.
                Ok(_) => return already(fargate, instance).await,
                Err(refusal) => refusal,
            },
            Err(error) => {
                let refusal = refusal(&error);
                if let Refusal::Configuration(why) = refusal {
                    return Err(ProviderError::Unavailable(format!("{why}{}", mend(error.code()))));
                }
                refusal
            }
        };
        match refusal {
            Refusal::NoCapacity(why) => {
                tracing::info!(%instance, ?placement, why, "no room for {instance} there");
                lack = why;
            }
            Refusal::AlreadyLaunched => return already(fargate, instance).await,
            Refusal::Throttled => {
                fargate.pace.slow_down();
                return Err(ProviderError::Busy(format!("{instance}: ECS asks to go slower")));
            }
            // Elsewhere it might then run twice: the same call is made again.
            Refusal::Unclear(why) => return Err(ProviderError::Busy(format!("{instance}: {why}"))),
            Refusal::Configuration(why) => return Err(ProviderError::Unavailable(why)),
        }
    }
    Err(ProviderError::NoRoom { instance, reason: lack })
}

/// An earlier call launched it: what became of it, its end included.
async fn already(fargate: &Fargate, instance: InstanceId) -> Result<Launch, ProviderError> {
    match fargate.find(instance).await? {
        Some(found) => Ok(told(fargate, instance, &found)),
        // Lists lag behind.
        None => Ok(Launch::Placed(Vec::new())),
    }
}

fn told(fargate: &Fargate, instance: InstanceId, found: &Task) -> Launch {
    fargate.remember(instance, Some(found));
    Launch::Placed(task::word(found).kinds())
}

fn outcome(answer: RunTaskOutput) -> Result<Task, Refusal> {
    if let Some(task) = answer.tasks.unwrap_or_default().into_iter().next() {
        return Ok(task);
    }
    let failures = answer.failures.unwrap_or_default();
    let reason = failures.first().and_then(|failure| failure.reason()).unwrap_or("ECS launched nothing");
    Err(match is_capacity(reason) {
        true => Refusal::NoCapacity(reason.to_owned()),
        false => Refusal::Configuration(reason.to_owned()),
    })
}

async fn run_task(
    fargate: &Fargate,
    spec: &LaunchSpec,
    placement: &Placement,
    index: usize,
) -> Result<RunTaskOutput, aws_sdk_ecs::error::SdkError<aws_sdk_ecs::operation::run_task::RunTaskError>> {
    let config = &fargate.config;
    let instance = spec.instance;
    let network = AwsVpcConfiguration::builder()
        .set_subnets(Some(placement.subnets.clone()))
        .set_security_groups(Some(config.security_groups.clone()))
        .assign_public_ip(AssignPublicIp::Disabled)
        .build();
    let network =
        network.map(|network| NetworkConfiguration::builder().awsvpc_configuration(network).build());
    let strategy = CapacityProviderStrategyItem::builder()
        .capacity_provider(placement.capacity_provider)
        .weight(1)
        .build();
    fargate
        .cluster
        .client
        .run_task()
        .cluster(&config.cluster)
        .task_definition(&placement.definition)
        .client_token(token(instance, index))
        .started_by(task::started_by(instance))
        .set_capacity_provider_strategy(strategy.ok().map(|item| vec![item]))
        .set_network_configuration(network.ok())
        .overrides(overrides(config, spec))
        .set_tags(Some(tags(spec)))
        .enable_ecs_managed_tags(true)
        .send()
        .await
}

fn overrides(config: &super::Config, spec: &LaunchSpec) -> TaskOverride {
    let (cpu, memory) = units(spec.size);
    let variable = |name: &str, value: &str| KeyValuePair::builder().name(name).value(value).build();
    let direct = config.direct.as_ref().map(|url| variable(env::DIRECT, &format!("[::]:{}", url.port)));
    let container = ContainerOverride::builder()
        .name(&config.container)
        .environment(variable(env::INSTANCE, &spec.instance.to_string()))
        .environment(variable(env::CONTROL, &config.control))
        .environment(variable(env::ENROLMENT, spec.enrolment.expose()))
        .environment(variable(env::LISTEN, &format!("0.0.0.0:{}", config.port)));
    let container = match direct {
        Some(direct) => container.environment(direct).build(),
        None => container.build(),
    };
    TaskOverride::builder()
        .cpu(cpu.to_string())
        .memory(memory.to_string())
        .container_overrides(container)
        .build()
}

/// By these, costs are told apart in the account's bill.
fn tags(spec: &LaunchSpec) -> Vec<Tag> {
    let tag = |key: &str, value: String| Tag::builder().key(key).value(value).build();
    vec![
        tag("openclaw:agent", spec.instance.agent.to_string()),
        tag("openclaw:owner", spec.owner.to_string()),
        tag("openclaw:generation", spec.instance.generation.to_string()),
    ]
}

/// CPU units and MiB, as Fargate takes them.
fn units(size: Size) -> (u32, u32) {
    (size.cpu_millis() * 1024 / 1000, size.memory_mib())
}

/// The same for the same run and place, whoever calls.
fn token(instance: InstanceId, place: usize) -> String {
    let hash = Sha256::digest(format!("{instance} {place}"));
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fargate's table: what a size may have of memory, in MiB, by CPU units.
    fn exists(cpu: u32, memory: u32) -> bool {
        let gb = |from: u32, to: u32, step: u32| {
            let (whole, gb) = (memory.is_multiple_of(1024), memory / 1024);
            whole && (from..=to).contains(&gb) && (gb - from).is_multiple_of(step)
        };
        match cpu {
            256 => [512, 1024, 2048].contains(&memory),
            512 => gb(1, 4, 1),
            1024 => gb(2, 8, 1),
            2048 => gb(4, 16, 1),
            4096 => gb(8, 30, 1),
            8192 => gb(16, 60, 4),
            16384 => gb(32, 120, 8),
            _ => false,
        }
    }

    #[test]
    fn every_size_is_one_of_fargates() {
        for size in Size::ALL {
            let (cpu, memory) = units(size);
            assert!(exists(cpu, memory), "{size}: {cpu}, {memory}");
        }
    }

    #[test]
    fn spot_is_tried_everywhere_before_on_demand() {
        let config = super::super::Config {
            cluster: "c".to_owned(),
            x86: "agent".to_owned(),
            arm: Some("agent-arm".to_owned()),
            container: "agent".to_owned(),
            subnets: vec!["a".to_owned(), "b".to_owned()],
            security_groups: Vec::new(),
            control: "http://c:1".to_owned(),
            port: 7009,
            direct: None,
            on_demand: OnDemand::WhenSpotIsFull,
            launches: (20, 100),
        };
        let all = placements(&config, true);
        assert_eq!(all.len(), 12);
        assert!(all[..6].iter().all(|place| place.capacity_provider == "FARGATE_SPOT"));
        assert!(all[6..].iter().all(|place| place.capacity_provider == "FARGATE"));
        assert_eq!(
            (all[0].subnets.len(), all[1].subnets.len(), all[3].definition.as_str()),
            (2, 1, "agent-arm")
        );
        assert_eq!(placements(&config, false), all[..6], "its owner does not pay for it");
        let never = placements(&super::super::Config { on_demand: OnDemand::Never, ..config }, true);
        assert_eq!(never, all[..6]);
    }

    #[test]
    fn a_token_is_the_runs_and_the_places() {
        let one: InstanceId = "0123456789abcdef:1".parse().unwrap();
        let two: InstanceId = "0123456789abcdef:2".parse().unwrap();
        assert_eq!(token(one, 0), token(one, 0));
        assert!(token(one, 0) != token(one, 1) && token(one, 0) != token(two, 0));
        assert!(token(one, 0).len() <= 64);
        assert_eq!(task::instance_of(&task::started_by(one)), Some(one));
    }
}
