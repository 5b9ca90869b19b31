//! People on a ledger of their own.

use std::sync::atomic::{AtomicU32, Ordering};

use domain::role::Role;

use super::*;

fn identity() -> (Arc<Identity>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Arc::new(crate::embedded::identity(folder.path()).unwrap()), folder)
}

async fn person(identity: &Identity, name: &str, role: Role) -> (Secret, Principal) {
    let user = identity.ensure_user(&name.parse().unwrap(), role).await.unwrap();
    let link = identity.sign_in_link(user.id).await.unwrap();
    let session = identity.sign_in(link.expose(), "").await.unwrap().session;
    let who = identity.session(session.expose()).await.unwrap();
    (session, who)
}

#[tokio::test]
async fn a_sign_out_of_nobody_wakes_nobody() {
    let (identity, _folder) = identity();
    let (session, _) = person(&identity, "Ana", Role::User).await;
    let mut changes = identity.taken_back.subscribe();
    identity.sign_out("no session").await.unwrap();
    assert!(!changes.has_changed().unwrap());
    identity.sign_out(session.expose()).await.unwrap();
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    identity.sign_out(session.expose()).await.unwrap();
    assert!(!changes.has_changed().unwrap(), "it had ended");
}

#[tokio::test]
async fn many_changes_in_a_row_cost_a_look_or_two() {
    let (identity, _folder) = identity();
    let looks = Arc::new(AtomicU32::new(0));
    let (watched, counted) = (Arc::clone(&identity), Arc::clone(&looks));
    let watching = tokio::spawn(async move {
        watched.until(|| async { counted.fetch_add(1, Ordering::SeqCst) == u32::MAX }).await;
    });
    for _ in 0..100 {
        identity.took_back();
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    tokio::time::sleep(APART * 2).await;
    watching.abort();
    let looks = looks.load(Ordering::SeqCst);
    // The first of all, at the first word, and one for each while.
    assert!((2..=6).contains(&looks), "{looks} looks");
}
