//! Where a task goes: which capacity provider by the strategy, which subnet by
//! what has room. ECS never puts another provider in the place of one without room.

use serde_json::Value;

use crate::config::Config;
use crate::error::Refusal;
use crate::settings::{Shortage, ShortageAnswer};
use crate::state::{Cluster, State};

/// One task's place.
pub(super) struct Place {
    pub capacity_provider: String,
    pub subnet: String,
}

/// The capacity provider of each task of a call.
pub(super) fn providers(request: &Value, cluster: &Cluster, count: usize) -> Result<Vec<String>, Refusal> {
    let strategy = match (request.get("launchType"), request.get("capacityProviderStrategy")) {
        (Some(_), Some(_)) => {
            return Err(Refusal::invalid(
                "Specifying both a launch type and capacity provider strategy is not supported. Remove one and \
                 try again.",
            ));
        }
        (Some(kind), None) if *kind == "FARGATE" => return Ok(vec!["FARGATE".to_owned(); count]),
        (Some(_), None) => {
            return Err(Refusal::invalid("No Container Instances were found in your cluster."));
        }
        (None, Some(strategy)) => strategy,
        (None, None) => &cluster.default_strategy,
    };
    let mut items: Vec<Item> = strategy.as_array().into_iter().flatten().map(Item::read).collect();
    // One alone takes all, whatever it weighs.
    if let [alone] = &mut items[..] {
        alone.weight = alone.weight.max(1);
    }
    if items.is_empty() {
        return Err(Refusal::invalid("No Container Instances were found in your cluster."));
    }
    if let Some(unknown) = items.iter().find(|item| !cluster.capacity_providers.contains(&item.name)) {
        let name = &unknown.name;
        return Err(Refusal::invalid(format!(
            "The specified capacity provider '{name}' was not found. Specify a valid name and try again."
        )));
    }
    if items.iter().filter(|item| item.base > 0).count() > 1 {
        return Err(Refusal::invalid("Only one capacity provider in a strategy can have a base."));
    }
    if items.iter().all(|item| item.weight == 0 && item.base == 0) {
        return Err(Refusal::invalid("At least one capacity provider must have a weight greater than 0."));
    }
    Ok(spread(&items, count))
}

struct Item {
    name: String,
    base: u64,
    weight: u64,
}

impl Item {
    fn read(item: &Value) -> Self {
        let number = |name: &str| item[name].as_u64();
        let name = item["capacityProvider"].as_str().unwrap_or_default().to_owned();
        // «If no weight value is specified, the default value of 0 is used.»
        Self { name, base: number("base").unwrap_or(0), weight: number("weight").unwrap_or(0) }
    }
}

/// The base first, then each task to whom its share is furthest from.
fn spread(items: &[Item], count: usize) -> Vec<String> {
    let mut given = vec![0_u64; items.len()];
    let mut places = Vec::new();
    for item in items {
        places.extend((0..item.base).map(|_| item.name.clone()));
    }
    places.truncate(count);
    while places.len() < count {
        let weighted = items.iter().enumerate().filter(|(_, item)| item.weight > 0);
        // (given + 1) / weight, compared without dividing.
        let next = weighted.min_by(|(a, left), (b, right)| {
            ((given[*a] + 1) * right.weight).cmp(&((given[*b] + 1) * left.weight))
        });
        let Some((index, item)) = next else { break };
        given[index] += 1;
        places.push(item.name.clone());
    }
    places
}

/// Subnets of the call, which must exist.
pub(super) fn subnets(request: &Value, config: &Config) -> Result<Vec<String>, Refusal> {
    let network = &request["networkConfiguration"]["awsvpcConfiguration"];
    if network.is_null() {
        let message = "Network Configuration must be provided when networkMode 'awsvpc' is specified.";
        return Err(Refusal::invalid(message));
    }
    let subnets = super::strings(&network["subnets"]);
    if subnets.is_empty() || subnets.len() > 16 {
        return Err(Refusal::invalid("subnets must have between 1 and 16 elements."));
    }
    if super::strings(&network["securityGroups"]).len() > 5 {
        return Err(Refusal::invalid("securityGroups can have at most 5 elements."));
    }
    let exists = |subnet: &String| {
        config.subnets.is_empty() || config.subnets.iter().any(|(known, _)| known == subnet)
    };
    match subnets.iter().find(|subnet| !exists(subnet)) {
        Some(absent) => Err(Refusal::invalid(format!(
            "Error retrieving subnet information for [{absent}]: The subnet ID '{absent}' does not exist \
             (ErrorCode: InvalidSubnetID.NotFound)"
        ))),
        None => Ok(subnets),
    }
}

/// The zone of a subnet; of an unconfigured one, the same letter every time.
pub(super) fn zone(config: &Config, subnet: &str) -> String {
    let known = config.subnets.iter().find(|(known, _)| known == subnet).map(|(_, zone)| zone.clone());
    let letter = ["a", "b", "c"][subnet.bytes().map(usize::from).sum::<usize>() % 3];
    known.unwrap_or_else(|| format!("{}{letter}", config.region))
}

/// A subnet with room for one more task, by turns; or how its lack is told.
pub(super) fn find_room(
    state: &mut State,
    provider: &str,
    subnets: &[String],
    architecture: &str,
) -> Result<Place, ShortageAnswer> {
    let first = usize::try_from(state.launched).unwrap_or(0) % subnets.len();
    let mut lack = ShortageAnswer::default();
    for subnet in subnets.iter().cycle().skip(first).take(subnets.len()) {
        let names = |named: &Option<String>, value: &str| named.as_deref().is_none_or(|named| named == value);
        let applies = |shortage: &&mut Shortage| {
            names(&shortage.capacity_provider, provider)
                && names(&shortage.subnet, subnet)
                && names(&shortage.architecture, architecture)
        };
        match state.settings.shortages.iter_mut().find(applies) {
            Some(shortage) if shortage.room == 0 => lack = shortage.answer,
            found => {
                if let Some(shortage) = found {
                    shortage.room -= 1;
                }
                return Ok(Place { capacity_provider: provider.to_owned(), subnet: subnet.clone() });
            }
        }
    }
    Err(lack)
}
