//! Whom administrators keep out: nothing that was theirs opens anything, and
//! nothing of it is lost. It works as it did when they are let in again.

use domain::access::Access;
use domain::audit::{Act, Actor, Outcome};
use domain::id::UserId;
use domain::name::Name;
use domain::role::Role;

use super::{Identity, PEOPLE_MAX, Principal, Right};
use crate::error::{Error, Result};
use crate::store::{User, UserChange};

impl Identity {
    /// Closes somebody's access or opens it again, by a command on the
    /// installation. What they have open ends within a second.
    pub async fn set_access(&self, name: &Name, access: Access) -> Result<User> {
        let user = self.store.user_named(name.as_str()).await?.ok_or(Error::NoSuchPerson)?;
        self.change_access(Actor::CommandLine, user, access).await
    }

    /// The same, by right of one's role.
    ///
    /// # Errors
    /// [`Error::StaysOpen`] for the caller's own, or the last administrator's.
    pub async fn give_access(&self, who: &Principal, name: &Name, access: Access) -> Result<User> {
        let user = self.store.user_named(name.as_str()).await?;
        let wish = || user.as_ref().map_or(Act::SeePeople, |user| act(access, user));
        self.audit.permit(who, Right::ManagePeople, wish).await?;
        let user = user.ok_or(Error::NoSuchPerson)?;
        if access == Access::Closed && user.id == who.user {
            return Err(Error::StaysOpen);
        }
        self.change_access(who.actor(), user, access).await
    }

    async fn change_access(&self, actor: Actor, user: User, access: Access) -> Result<User> {
        let closed_at = match access {
            Access::Open => None,
            Access::Closed => Some(user.closed_at.unwrap_or_else(|| self.now())),
        };
        if closed_at == user.closed_at {
            return Ok(user);
        }
        if access == Access::Closed && user.role == Role::Admin && !self.has_admin_beside(user.id).await? {
            return Err(Error::StaysOpen);
        }
        let told = self.audit.entry(actor, act(access, &user), Outcome::Allowed);
        let changed = self.store.change_user(user.id, &UserChange::Closed(closed_at), &told).await;
        // Also where it failed: it may have been done.
        self.took_back();
        if !changed? {
            return Err(Error::NoSuchPerson);
        }
        Ok(User { closed_at, ..user })
    }

    async fn has_admin_beside(&self, one: UserId) -> Result<bool> {
        let mut after = None;
        loop {
            let page = self.store.people(after.as_ref(), PEOPLE_MAX).await?;
            let Some(last) = page.last() else { return Ok(false) };
            after = Some(last.user.name.clone());
            let other = |user: &User| user.id != one && user.role == Role::Admin && user.is_let_in();
            if page.iter().any(|listed| other(&listed.user)) {
                return Ok(true);
            }
        }
    }
}

fn act(access: Access, user: &User) -> Act {
    let (person, name) = (user.id, user.name.clone());
    match access {
        Access::Open => Act::OpenAccess { person, name },
        Access::Closed => Act::CloseAccess { person, name },
    }
}
