//! The templates and the images know the programs that they are for.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::process::Command;

const INSTALLATION: &str = include_str!("../../infra/openclaw-cloud.yaml");
const LAMBDA: &str = include_str!("../../infra/openclaw-cloud-lambda.yaml");
const AGENT_IMAGE: &str = include_str!("../../infra/images/agent.Dockerfile");

/// Every name in a text that begins so.
fn names(text: &str, prefix: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with(prefix)).map(str::to_owned).collect()
}

#[test]
fn every_variable_of_the_templates_is_an_option() {
    let help = Command::new(env!("CARGO_BIN_EXE_openclaw-cloud")).args(["serve", "--help"]).output().unwrap();
    let options = names(&String::from_utf8(help.stdout).unwrap(), "OPENCLAW_CLOUD_");
    for template in [INSTALLATION, LAMBDA] {
        let given = names(template, "OPENCLAW_CLOUD_");
        assert!(given.contains("OPENCLAW_CLOUD_TABLES"), "{given:?}");
        let unknown: Vec<_> = given.difference(&options).collect();
        assert!(unknown.is_empty(), "no options: {unknown:?}");
    }
}

#[test]
fn the_templates_give_the_engine_all_that_it_needs() {
    let value = |name: &str| match name.trim_start_matches("OPENCLAW_CLOUD_") {
        "AGENT_ROLE" => "arn:aws:iam::111122223333:role/agents".to_owned(),
        "AGENT_PORT" | "NAT_GATEWAYS" | "LAUNCH_RATE" | "LAUNCH_BURST" | "PROXIES" => "1".to_owned(),
        "DUTIES" => "web".to_owned(),
        "ENGINE" => "aws".to_owned(),
        "INSTANCES_LISTEN" | "LISTEN" => "127.0.0.1:0".to_owned(),
        "INSTANCES_URL" => "http://console.internal:7008".to_owned(),
        "ON_DEMAND" => "never".to_owned(),
        "REPOSITORY_KEY" | "TICKET_KEY" => "0".repeat(64),
        _ => "some".to_owned(),
    };
    for template in [INSTALLATION, LAMBDA] {
        let mut given = names(template, "OPENCLAW_CLOUD_");
        // One is left out, for a configuration that is whole would be tried.
        assert!(given.remove("OPENCLAW_CLOUD_TABLES"), "{given:?}");
        let env: Vec<_> = given.iter().map(|name| (name.clone(), value(name))).collect();
        let told = common::refused_to_serve(&env);
        let faults: Vec<_> = told.lines().filter(|line| line.starts_with("  --")).collect();
        assert_eq!(faults, ["  --tables is missing"], "{told}");
    }
}

#[test]
fn what_is_mounted_in_an_agent_is_a_volume_of_its_image() {
    let volumes = AGENT_IMAGE.lines().find_map(|line| line.strip_prefix("VOLUME ")).unwrap();
    let volumes: BTreeSet<String> = serde_json::from_str(volumes).unwrap();
    let mounted: BTreeSet<String> = INSTALLATION
        .split("ContainerPath: ")
        .skip(1)
        .filter_map(|rest| rest.split([' ', '\n']).next())
        .map(str::to_owned)
        .collect();
    assert_eq!(mounted, volumes);
    let home = format!("{{ Name: {}, Value: ", domain::protocol::env::HOME);
    let homes: Vec<_> =
        INSTALLATION.split(&home).skip(1).filter_map(|rest| rest.split([' ', '\n']).next()).collect();
    assert!(homes.len() == 2 && homes.iter().all(|home| mounted.contains(*home)), "{homes:?}");
}

/// Else whoever goes past CloudFront could say from which address they come.
#[test]
fn cloudfront_shows_each_of_its_origins_the_secret_that_they_ask_for() {
    let header = "X-Origin-Secret";
    let conditions = INSTALLATION.split("  Forwarded:").nth(1).unwrap().split("\n\n").next().unwrap();
    assert!(conditions.contains(&format!("HttpHeaderName: {header}")), "{conditions}");
    let listener = INSTALLATION.split("  SecureListener:").nth(1).unwrap().split("\n\n").next().unwrap();
    assert!(listener.contains("StatusCode: '403'") && !listener.contains("forward"), "{listener}");
    let origins = LAMBDA.split("        Origins:").nth(1).unwrap();
    let origins = origins.split("        DefaultCacheBehavior:").next().unwrap();
    assert_eq!(origins.matches("- Id: ").count(), origins.matches(&format!("HeaderName: {header}")).count());
    assert!(LAMBDA.contains("OPENCLAW_CLOUD_PROXY_SECRET"));
    assert!(INSTALLATION.contains("-OriginSecretArn'"));
}
