//! Commands beside `serve`.

use control_plane::embedded;

use crate::config::AddUser;
use crate::serve::{ADDRESS, sign_in_link};

/// Prints a one-time link. Works while a server runs: they share the ledger.
pub async fn add_user(options: AddUser) -> anyhow::Result<()> {
    let data = options.data.folder()?;
    let identity = embedded::identity(&data)?;
    let origin = match options.origin {
        Some(origin) => origin,
        None => {
            let known = std::fs::read_to_string(data.join(ADDRESS)).unwrap_or_default();
            let known = known.trim().to_owned();
            anyhow::ensure!(
                !known.is_empty(),
                "no server ran here yet: name the console's address with --origin"
            );
            known
        }
    };
    let user = identity.ensure_user(&options.name).await?;
    let link = identity.sign_in_link(user.id).await?;
    println!("sign-in link for {}: {}", user.name, sign_in_link(&origin, link.expose()));
    Ok(())
}
