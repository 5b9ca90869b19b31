//! Options from a file: `--config FILE` or `OPENCLAW_CLOUD_CONFIG`, a TOML table
//! whose keys are the options' names. What the environment or the command line
//! says goes before what the file says.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Arg, CommandFactory as _};
use toml::Value;

use super::Cli;

const VARIABLE: &str = "OPENCLAW_CLOUD_CONFIG";

/// Puts the file's options into the environment, where there is a file.
///
/// # Errors
/// Everything that is wrong with it, at once.
///
/// # Safety
/// No other thread may run yet.
pub unsafe fn apply(arguments: impl Iterator<Item = OsString>) -> anyhow::Result<()> {
    let Some(path) = named(arguments) else { return Ok(()) };
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    for (variable, value) in read(&text).map_err(|faults| in_file(&path, &faults))? {
        if std::env::var_os(&variable).is_none() {
            // SAFETY: the caller promises that no other thread runs.
            unsafe { std::env::set_var(variable, value) };
        }
    }
    Ok(())
}

fn in_file(path: &Path, faults: &[String]) -> anyhow::Error {
    anyhow::anyhow!("{}:\n  {}", path.display(), faults.join("\n  "))
}

/// The file, as the command line names it, or the environment.
fn named(arguments: impl Iterator<Item = OsString>) -> Option<PathBuf> {
    let mut next = false;
    for argument in arguments {
        if next {
            return Some(argument.into());
        }
        next = argument == "--config";
        if let Some(path) = argument.to_str().and_then(|argument| argument.strip_prefix("--config=")) {
            return Some(path.into());
        }
    }
    std::env::var_os(VARIABLE).map(PathBuf::from)
}

/// Variables and their values.
fn read(text: &str) -> Result<Vec<(String, String)>, Vec<String>> {
    let table: BTreeMap<String, Value> = toml::from_str(text).map_err(|error| vec![error.to_string()])?;
    let mut command = Cli::command();
    command.build();
    let all: Vec<Arg> =
        command.get_subcommands().flat_map(|command| command.get_arguments().cloned()).collect();
    let (mut variables, mut faults) = (Vec::new(), Vec::new());
    for (key, value) in table {
        let option = all.iter().find(|option| option.get_long() == Some(&key) && option.get_env().is_some());
        let variable = option.and_then(|option| option.get_env()?.to_str());
        let Some((option, variable)) = option.zip(variable) else {
            faults.push(format!("there is no option «{key}»"));
            continue;
        };
        if option.is_hide_env_values_set() {
            faults.push(format!("«{key}» is a secret: it belongs in {variable}, from Secrets Manager"));
        } else if let Some(value) = plain(&value) {
            variables.push((variable.to_owned(), value));
        } else {
            faults.push(format!("«{key}» is neither a text, a number nor a list of texts"));
        }
    }
    if faults.is_empty() { Ok(variables) } else { Err(faults) }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(is) => Some(is.to_string()),
        Value::Array(list) => {
            let texts: Option<Vec<_>> = list.iter().map(Value::as_str).collect();
            Some(texts?.join(","))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_variables_say() {
        let read =
            read("engine = \"aws\"\nsubnets = [\"a\", \"b\"]\nlaunch-rate = 20\nbucket = \"snapshots\"")
                .unwrap();
        let variable = |name: &str, value: &str| (format!("OPENCLAW_CLOUD_{name}"), value.to_owned());
        assert_eq!(
            read,
            [
                variable("BUCKET", "snapshots"),
                variable("ENGINE", "aws"),
                variable("LAUNCH_RATE", "20"),
                variable("SUBNETS", "a,b")
            ]
        );
    }

    #[test]
    fn all_that_is_wrong_is_named_at_once_and_no_secret_is_taken() {
        let faults = read("buckett = \"x\"\nticket-key = \"canary\"\nbucket = { name = \"x\" }").unwrap_err();
        assert_eq!(faults.len(), 3);
        let told = faults.join("\n");
        assert!(
            told.contains("«buckett»")
                && told.contains("Secrets Manager")
                && told.contains("«bucket» is neither")
        );
        assert!(!told.contains("canary"));
        assert!(read("no toml").is_err());
    }

    #[test]
    fn the_file_is_named_in_three_ways() {
        let named = |arguments: &[&str]| named(arguments.iter().map(OsString::from));
        assert_eq!(named(&["serve", "--config", "a.toml"]), Some("a.toml".into()));
        assert_eq!(named(&["serve", "--config=b.toml"]), Some("b.toml".into()));
        assert_eq!(named(&["serve"]), None);
    }
}
