//! The audit: written with the change that it tells of, in one transaction.

use imagewright_store::audit::{AuditEntry, AuditFilter};
use imagewright_store::{GroupId, Listed, Page, Writer};
use serde_json::Value;

use crate::access::{Actor, Operation};
use crate::error::Result;
use crate::hub::Hub;

impl Hub {
    /// The audit, newest first.
    ///
    /// # Errors
    /// Not allowed for others than admins.
    pub async fn audit(&self, actor: &Actor, filter: &AuditFilter, page: Page) -> Result<Listed<AuditEntry>> {
        actor.may(Operation::ReadAudit, actor.standing())?;
        Ok(self.store.read().audit(filter, page).await?)
    }

    /// Notes what is done in this transaction: `action` on an object of some kind. The detail never has a secret.
    pub(crate) async fn note(
        &self,
        writer: &Writer,
        actor: &Actor,
        action: &str,
        (kind, object): (&str, &str),
        group: Option<&GroupId>,
        detail: Value,
    ) -> Result<()> {
        let entry = AuditEntry {
            id: 0,
            at: self.clock.now(),
            actor: actor.account().map(|account| account.id.clone()),
            actor_name: actor.name().to_owned(),
            action: action.to_owned(),
            object_kind: kind.to_owned(),
            object: object.to_owned(),
            group: group.cloned(),
            address: actor.address().map(str::to_owned),
            detail,
        };
        Ok(writer.add_audit(&entry).await?)
    }
}
