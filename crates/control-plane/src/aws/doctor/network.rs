//! Subnets and security groups: that agents get an address, get out, and are
//! reached by the console only.

use std::collections::BTreeSet;

use roxmltree::{Document, Node};

use super::ask::{Asks, EC2, Refused};
use super::{Finding, Findings};
use crate::aws::Installation;

/// Fewer free addresses than this in a subnet are soon taken.
const FEW: u32 = 32;

pub async fn look(asks: &Asks, installation: &Installation) -> Vec<Finding> {
    let mut found = Findings::of("network");
    let fargate = &installation.fargate;
    let vpc = match subnets(asks, &mut found, &fargate.subnets).await {
        Ok(vpc) => vpc,
        Err(refused) => {
            unless_seen(&mut found, "the subnets", &refused);
            return found.all;
        }
    };
    if let Some(vpc) = &vpc
        && let Err(refused) = routes(asks, &mut found, vpc, &fargate.subnets).await
    {
        unless_seen(&mut found, "the routes", &refused);
    }
    if let Err(refused) = groups(asks, &mut found, vpc.as_deref(), installation).await {
        unless_seen(&mut found, "the security groups", &refused);
    }
    found.all
}

fn unless_seen(found: &mut Findings, what: &str, refused: &Refused) {
    if refused.code.ends_with(".NotFound") || refused.code.ends_with(".Malformed") {
        found.bad(format!("{what}: {refused}"), "check the ids, and the region");
    } else {
        found.unseen(what, refused);
    }
}

async fn subnets(asks: &Asks, found: &mut Findings, ids: &[String]) -> Result<Option<String>, Refused> {
    let answer = asks.query(EC2, "DescribeSubnets", &numbered("SubnetId", ids)).await?;
    let document = parse(&answer)?;
    let (mut vpcs, mut zones) = (BTreeSet::new(), BTreeSet::new());
    for subnet in items(&document, "subnetSet") {
        vpcs.insert(text(subnet, "vpcId"));
        zones.insert(text(subnet, "availabilityZone"));
        let free: u32 = text(subnet, "availableIpAddressCount").parse().unwrap_or_default();
        if free < FEW {
            let id = text(subnet, "subnetId");
            found.doubtful(
                format!("{id} has {free} free addresses, and each agent takes one"),
                "add a larger subnet",
            );
        }
    }
    if vpcs.len() > 1 {
        found.bad(format!("the subnets are of several VPCs: {}", joined(&vpcs)), "name subnets of one");
    }
    if zones.len() < 2 {
        found.doubtful(
            format!("all subnets are in {}", joined(&zones)),
            "add one in another zone: Spot's room differs from zone to zone",
        );
    } else {
        found.good(format!("subnets in {}", joined(&zones)));
    }
    Ok(vpcs.into_iter().next())
}

async fn routes(asks: &Asks, found: &mut Findings, vpc: &str, subnets: &[String]) -> Result<(), Refused> {
    let of_vpc = filter(1, "vpc-id", vpc);
    let answer = asks.query(EC2, "DescribeRouteTables", &of_vpc).await?;
    let document = parse(&answer)?;
    let tables: Vec<_> = items(&document, "routeTableSet").collect();
    let answer = asks.query(EC2, "DescribeVpcEndpoints", &of_vpc).await?;
    let endpoints = parse(&answer)?;
    let endpoints: Vec<_> = items(&endpoints, "vpcEndpointSet")
        .map(|endpoint| (text(endpoint, "serviceName"), values(endpoint, "routeTableIdSet")))
        .collect();
    for subnet in subnets {
        let associated = |table: &&Node<'_, '_>, name: &str, value: &str| {
            let associations = child(**table, "associationSet");
            associations.is_some_and(|all| all.children().any(|each| text(each, name) == value))
        };
        let own = tables.iter().find(|table| associated(table, "subnetId", subnet));
        let Some(table) = own.or_else(|| tables.iter().find(|table| associated(table, "main", "true")))
        else {
            found.doubtful(format!("{subnet} has no route table that could be seen"), "look at its routes");
            continue;
        };
        let id = text(*table, "routeTableId");
        let way_out = child(*table, "routeSet").and_then(|routes| {
            routes.children().find(|route| text(*route, "destinationCidrBlock") == "0.0.0.0/0")
        });
        match way_out {
            None => found.bad(
                format!("{subnet} has no way out ({id}): an agent reaches no model and no package there"),
                "add a route for 0.0.0.0/0 to a NAT gateway",
            ),
            Some(route) if text(route, "gatewayId").starts_with("igw-") => found.bad(
                format!(
                    "{subnet} is public ({id}): an agent without a public address gets nowhere from there"
                ),
                "name private subnets, whose way out is a NAT gateway",
            ),
            Some(_) => {}
        }
        let has_gateway =
            endpoints.iter().any(|(service, tables)| service.ends_with(".s3") && tables.contains(&id));
        if !has_gateway {
            found.doubtful(
                format!("{subnet} has no gateway endpoint for S3: its saves go, and are billed, through the NAT gateway"),
                format!("aws ec2 create-vpc-endpoint --vpc-id {vpc} --service-name com.amazonaws.{}.s3 --route-table-ids {id}", asks.region),
            );
        }
    }
    Ok(())
}

async fn groups(
    asks: &Asks,
    found: &mut Findings,
    vpc: Option<&str>,
    installation: &Installation,
) -> Result<(), Refused> {
    let fargate = &installation.fargate;
    let answer =
        asks.query(EC2, "DescribeSecurityGroups", &numbered("GroupId", &fargate.security_groups)).await?;
    let document = parse(&answer)?;
    let port = fargate.port;
    let mut lets_in = false;
    for group in items(&document, "securityGroupInfo") {
        let id = text(group, "groupId");
        if vpc.is_some_and(|vpc| text(group, "vpcId") != vpc) {
            found.bad(format!("{id} is of another VPC than the subnets"), "name a security group of theirs");
        }
        for rule in child(group, "ipPermissions").into_iter().flat_map(|rules| rules.children()) {
            let (from, to) = (text(rule, "fromPort").parse(), text(rule, "toPort").parse());
            let all = text(rule, "ipProtocol") == "-1";
            let covers = all || matches!((from, to), (Ok(from), Ok(to)) if (from..=to).contains(&port));
            lets_in |= covers;
            let whole = [("ipRanges", "cidrIp", "0.0.0.0/0"), ("ipv6Ranges", "cidrIpv6", "::/0")];
            let open = whole.iter().any(|(ranges, name, world)| {
                child(rule, ranges)
                    .is_some_and(|ranges| ranges.children().any(|range| text(range, name) == *world))
            });
            if open {
                let what = if all {
                    "everything".to_owned()
                } else {
                    format!("{}–{}", text(rule, "fromPort"), text(rule, "toPort"))
                };
                found.bad(
                    format!("{id} lets the whole world in on {what}"),
                    format!("let in the console's security group only, on {port}"),
                );
            } else if all || (!covers && rule.is_element()) {
                found.doubtful(format!("{id} lets in more than port {port}"), "take the other rules out");
            }
        }
    }
    if lets_in {
        found.good(format!("the console is let in on port {port}"));
    } else {
        found.bad(
            format!("nobody is let in on port {port}: the console reaches no agent"),
            format!("aws ec2 authorize-security-group-ingress --group-id {} --protocol tcp --port {port} --source-group <the console's>", fargate.security_groups.first().map_or("…", String::as_str)),
        );
    }
    Ok(())
}

fn numbered(name: &str, values: &[String]) -> Vec<(String, String)> {
    (1..).zip(values).map(|(n, value)| (format!("{name}.{n}"), value.clone())).collect()
}

fn filter(n: u32, name: &str, value: &str) -> Vec<(String, String)> {
    vec![(format!("Filter.{n}.Name"), name.to_owned()), (format!("Filter.{n}.Value.1"), value.to_owned())]
}

fn parse(xml: &str) -> Result<Document<'_>, Refused> {
    Document::parse(xml)
        .map_err(|error| Refused { code: "senseless answer".to_owned(), message: error.to_string() })
}

fn items<'a>(document: &'a Document<'a>, set: &'a str) -> impl Iterator<Item = Node<'a, 'a>> {
    let sets = document.descendants().filter(move |node| node.tag_name().name() == set);
    sets.take(1).flat_map(|set| set.children().filter(Node::is_element))
}

fn child<'a>(node: Node<'a, 'a>, name: &str) -> Option<Node<'a, 'a>> {
    node.children().find(|child| child.tag_name().name() == name)
}

fn text(node: Node<'_, '_>, name: &str) -> String {
    let child = node.children().find(|child| child.tag_name().name() == name);
    child.and_then(|child| child.text()).unwrap_or_default().to_owned()
}

/// The texts under `set`.
fn values(node: Node<'_, '_>, set: &str) -> Vec<String> {
    let set = node.children().find(|child| child.tag_name().name() == set);
    let items = set.into_iter().flat_map(|set| set.children());
    items.filter_map(|item| item.text().map(str::to_owned)).collect()
}

fn joined(names: &BTreeSet<String>) -> String {
    names.iter().cloned().collect::<Vec<_>>().join(", ")
}
