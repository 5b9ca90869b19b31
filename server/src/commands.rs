//! Commands beside `serve`.

use control_plane::embedded;

use crate::config::AddUser;

/// Prints a one-time link. Works while a server runs: they share the ledger.
pub async fn add_user(options: AddUser) -> anyhow::Result<()> {
    let identity = embedded::identity(&options.data.folder()?)?;
    let user = identity.ensure_user(&options.name).await?;
    let link = identity.sign_in_link(user.id).await?;
    println!(
        "sign-in link for {}: {}",
        user.name,
        crate::serve::sign_in_link(&options.origin, link.expose())
    );
    Ok(())
}
