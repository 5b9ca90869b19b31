//! The browser's files, named by their content.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use app::Assets;

/// Reads what the build left: `manifest.json` in the site folder.
pub fn assets(site: &Path) -> anyhow::Result<Assets> {
    let path = site.join("manifest.json");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{}: run script/build, or name the folder with --site", path.display()))?;
    let names: BTreeMap<String, String> =
        serde_json::from_str(&text).with_context(|| format!("{}", path.display()))?;
    let url = |name: &str| {
        let file = names.get(name).with_context(|| format!("{}: no {name}", path.display()))?;
        Ok::<_, anyhow::Error>(format!("/pkg/{file}"))
    };
    Ok(Assets {
        frontend_js: url("frontend.js")?,
        frontend_wasm: url("frontend.wasm")?,
        css: url("main.css")?,
        xterm_js: url("xterm.js")?,
    })
}
