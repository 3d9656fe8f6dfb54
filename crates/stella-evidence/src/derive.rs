//! Deriving findings: after a document is kept, in a transaction of its own.
//!
//! A writer sees only what others have committed, so two documents that come together could
//! miss each other if they were matched where they are kept. Here each is matched after it is
//! kept: whichever is kept later sees the other. An advisory's head row is the lock: its own
//! derivation holds it alone, those of SBOMs share it. What was kept and not derived from stays
//! on a list, and the next start works it off.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use stella_api::evidence::EvidenceKind;
use stella_api::findings::Verdict;
use stella_api::replay::State;
use stella_api::{Code, TenantId};
use stella_assess::{Coverage, NamedPackage, cover};
use stella_canonical::DigestError;
use stella_context::{Clock, OpContext, SystemContext};
use stella_matching::Coordinates;
use stella_service::{Failure, Worker};
use stella_storage::{ObjectError, StoreError, Tx};

use crate::backlog::{Failed, stuck};
use crate::store::{self, AdvisoryFacts, ByPackage, ComponentRow, FindingRow, Key};
use crate::{Evidence, EvidenceError};

/// So many documents are derived from in one transaction: others wait for it on SQLite.
const TOGETHER: usize = 50;
/// So many advisories are matched with an SBOM at a time: what they say is in memory together.
pub(crate) const AT_ONCE: usize = 200;
/// So many advisories are read at once: at most 16 MiB of them.
const READ: usize = 64;
/// How many characters of an advisory's line a finding repeats.
const LINE: usize = 512;
/// The verdict, as it is stored.
const AFFECTED: &str = Verdict::Affected.as_str();

impl Evidence {
    /// Derives from what is due: from documents that lock a head each some in a transaction, in
    /// the order of the heads, and from SBOMs, which lock many, one by one. Gives those that could
    /// not be derived from; they stay due.
    pub(crate) async fn derive_due(
        &self,
        op: &OpContext,
        due: BTreeSet<Key>,
    ) -> BTreeMap<Key, Failure> {
        let due: Vec<Key> = due.into_iter().collect();
        let mut failed: BTreeMap<Key, Failure> = BTreeMap::new();
        for keys in due.chunk_by(|a, b| a.kind == b.kind) {
            let sbom = keys
                .first()
                .is_some_and(|key| key.kind == EvidenceKind::Sbom);
            for group in keys.chunks(if sbom { 1 } else { TOGETHER }) {
                if group.len() > 1 && self.derive_group(op, group).await.is_ok() {
                    continue;
                }
                // Alone, one that cannot be derived from takes no other along.
                for key in group {
                    let Err(failure) = self.derive_if_due(op, key).await else {
                        continue;
                    };
                    if failure.code() == Code::Unavailable {
                        // The others would fail too, each after its time.
                        let left = due.iter().filter(|other| *other >= key);
                        failed.extend(left.map(|key| (key.clone(), failure.clone())));
                        return failed;
                    }
                    failed.insert(key.clone(), failure);
                }
            }
        }
        failed
    }

    async fn derive_group(&self, op: &OpContext, keys: &[Key]) -> Result<(), EvidenceError> {
        let mut tx = self.begin(op, keys.len() > store::FEW).await?;
        let due = store::due_among(&mut tx, op.tenant(), keys).await?;
        let due: Vec<Key> = due.into_iter().collect();
        if !due.is_empty() {
            self.derive(&mut tx, op.tenant(), &due).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    async fn derive_if_due(&self, op: &OpContext, key: &Key) -> Result<(), Failure> {
        let derived = self.derive_group(op, std::slice::from_ref(key)).await;
        derived.map_err(|error| {
            let (failure, why) = stuck(op.tenant(), key, error);
            let of = (op.tenant().clone(), key.clone());
            self.failed().insert(of, why);
            failure
        })
    }

    /// Works off what an earlier process kept and did not get to derive; says how many. A
    /// document that cannot be derived from stays due and keeps none of the others waiting: what
    /// was done to stored bytes must not keep the installation from starting and telling of it.
    ///
    /// # Errors
    /// The database is away.
    pub async fn reconcile(&self, system: &SystemContext) -> Result<usize, EvidenceError> {
        let (mut derived, mut failed) = (0, Failed::new());
        for (tenant, key) in store::due(system, &self.db).await? {
            let mut tx = self.db.system_in(system, &tenant).await?;
            match self
                .derive(&mut tx, &tenant, std::slice::from_ref(&key))
                .await
            {
                Ok(()) => {
                    tx.commit().await?;
                    derived += 1;
                }
                Err(EvidenceError::Store(away)) if away.is_away() => {
                    return Err(away.into());
                }
                Err(error) => {
                    let (_, why) = stuck(&tenant, &key, error);
                    failed.insert((tenant, key), why);
                }
            }
        }
        *self.failed() = failed;
        if derived > 0 {
            tracing::info!(documents = derived, "derived what was kept before");
        }
        Ok(derived)
    }

    /// Derives from documents of one kind, in the order of their heads.
    async fn derive(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        keys: &[Key],
    ) -> Result<(), EvidenceError> {
        match keys.first().map(|key| key.kind) {
            Some(EvidenceKind::Advisory) => {
                let heads = store::take_heads(tx, tenant, keys).await?;
                let names: Vec<_> = heads.iter().map(advisory).collect();
                store::drop_findings(tx, tenant, &names).await?;
                let found = self.findings_by(tx, tenant, &heads).await?;
                store::put_findings(tx, tenant, &found.values().collect::<Vec<_>>()).await?;
            }
            Some(EvidenceKind::Sbom) => {
                for key in keys {
                    self.match_sbom(tx, tenant, &key.digest).await?;
                }
            }
            Some(EvidenceKind::Vex | EvidenceKind::Signal) => {
                store::take_heads(tx, tenant, keys).await?;
            }
            None => {}
        }
        store::clear_due(tx, tenant, keys).await?;
        Ok(())
    }

    /// The findings that follow from revisions of advisories.
    pub(crate) async fn findings_by(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        advisories: &[Key],
    ) -> Result<Matched, EvidenceError> {
        let packages = packages(tx, tenant, advisories).await?;
        let named = packages.values().flatten().map(NamedPackage::package_key);
        let components = store::components_named(tx, tenant, &named.collect()).await?;
        self.matched(tx, tenant, (advisories, &packages), &components)
            .await
    }

    async fn match_sbom(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        sbom: &str,
    ) -> Result<(), EvidenceError> {
        tx.plan_anew().await?;
        let components = store::components_by_package(tx, tenant, sbom).await?;
        let heads = store::share_heads(tx, tenant, sbom).await?;
        // Those of an advisory that came since, whose head is not locked here, are its own affair.
        let derived_before = store::found_in(tx, tenant, sbom).await?;
        for heads in heads.chunks(AT_ONCE) {
            let names: Vec<_> = heads.iter().map(advisory).collect();
            let before = names.iter().filter(|(publisher, upstream_id)| {
                derived_before.contains(&((*publisher).to_owned(), (*upstream_id).to_owned()))
            });
            let before: Vec<_> = before.copied().collect();
            if !before.is_empty() {
                store::drop_findings_in(tx, tenant, sbom, &before).await?;
            }
            let packages = packages(tx, tenant, heads).await?;
            let found = self
                .matched(tx, tenant, (heads, &packages), &components)
                .await?;
            store::put_findings(tx, tenant, &found.values().collect::<Vec<_>>()).await?;
        }
        Ok(())
    }

    /// The findings that revisions of advisories, with what they say of packages, make of components.
    pub(crate) async fn matched(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        (advisories, packages): (&[Key], &Packages),
        components: &ByPackage,
    ) -> Result<Matched, EvidenceError> {
        // Statements and components are read once each, however many they are compared with.
        let mut read: BTreeMap<(String, String), Vec<(&ComponentRow, Coordinates)>> =
            BTreeMap::new();
        let mut covered = Vec::new();
        for advisory in advisories {
            let mut of_one = Vec::new();
            for package in packages.get(&advisory.digest).into_iter().flatten() {
                let key = package.package_key();
                let Some(rows) = components.get(&key) else {
                    continue;
                };
                let components = match read.entry(key) {
                    Entry::Occupied(read) => read.into_mut(),
                    Entry::Vacant(unread) => {
                        let rows = rows.iter().map(|row| Ok((row, row.coordinates()?)));
                        unread.insert(rows.collect::<Result<_, EvidenceError>>()?)
                    }
                };
                let matcher = package.matcher();
                for (component, coordinates) in components {
                    let coverage = cover(&matcher, coordinates);
                    of_one.extend(coverage.map(|coverage| (*component, package, coverage)));
                }
            }
            if !of_one.is_empty() {
                covered.push((advisory, of_one));
            }
        }
        // Most advisories on a package are on other versions of it: only those that are on this one
        // are read again.
        let mut matched = Matched::new();
        for some in covered.chunks(READ) {
            let digests = some.iter().map(|(advisory, _)| &advisory.digest);
            let inline = store::inline(tx, tenant, digests).await?;
            for (advisory, of_one) in some {
                let bytes = inline.get(&advisory.digest).cloned();
                let facts = self.facts(tenant, advisory, bytes).await?;
                for (component, package, coverage) in of_one {
                    note(&mut matched, finding(component, package, &facts, coverage)?);
                }
            }
        }
        Ok(matched)
    }

    /// What a finding repeats of its advisory, from the advisory's own bytes.
    async fn facts(
        &self,
        tenant: &TenantId,
        key: &Key,
        inline: Option<Vec<u8>>,
    ) -> Result<AdvisoryFacts, EvidenceError> {
        let digest = key.digest.as_str();
        let unreadable = |reason: &dyn ToString| {
            let what = format!("head of {} {}", key.publisher, key.upstream_id);
            EvidenceError::unreadable(what, reason.to_string())
        };
        let name = digest
            .parse()
            .map_err(|error: DigestError| unreadable(&error))?;
        // Whoever posted an SBOM asked for no blob of ours: that one is gone is no 404 of theirs.
        let bytes = self.bytes(tenant, &name, inline).await;
        let bytes = bytes.map_err(|error| match error {
            EvidenceError::Object(ObjectError::Missing(_)) => EvidenceError::Corrupt {
                document: digest.to_owned(),
                actual: State::Missing.to_string(),
            },
            other => other,
        })?;
        let document = stella_formats::read(&bytes).map_err(|error| unreadable(&error))?;
        if document.kind() != EvidenceKind::Advisory {
            return Err(unreadable(&format!("{digest} is no advisory")));
        }
        Ok(AdvisoryFacts {
            publisher: key.publisher.clone(),
            upstream_id: key.upstream_id.clone(),
            digest: digest.to_owned(),
            identifiers: stella_assess::vulnerability_ids(&document.body),
            summary: stella_assess::summary(&document.body).map(line),
        })
    }
}

/// A line about an advisory as each finding repeats it: no more than its beginning.
fn line(summary: &str) -> String {
    match summary.char_indices().nth(LINE) {
        Some((end, _)) => format!("{}…", &summary[..end]),
        None => summary.to_owned(),
    }
}

/// Works off what a process that died left undone; this process or another.
pub(crate) fn worker(evidence: &Arc<Evidence>) -> Worker {
    let evidence = evidence.clone();
    let round = move || {
        let evidence = evidence.clone();
        Box::pin(async move {
            let system = SystemContext::new("reconciler", Clock::System);
            let derived = evidence.reconcile(&system).await;
            derived.map_err(|error| error.to_string())
        }) as _
    };
    Worker {
        name: "derivations",
        every: Duration::from_secs(10),
        wake: Arc::default(),
        round: Box::new(round),
    }
}

fn advisory(head: &Key) -> (&str, &str) {
    (&head.publisher, &head.upstream_id)
}

/// What advisories say of packages, by their digests.
type Packages = BTreeMap<String, Vec<NamedPackage>>;

pub(crate) async fn packages(
    tx: &mut Tx,
    tenant: &TenantId,
    advisories: &[Key],
) -> Result<Packages, StoreError> {
    let digests: Vec<&str> = advisories.iter().map(|one| one.digest.as_str()).collect();
    store::packages_of(tx, tenant, &digests).await
}

/// Findings by their ids.
pub(crate) type Matched = BTreeMap<String, FindingRow>;

/// Notes a finding. Where an advisory speaks of a component twice, the statement that says
/// "affected" stands, and of two equal ones the one that comes first in the document.
fn note(matched: &mut Matched, row: FindingRow) {
    let stands = (matched.get(&row.id))
        .is_some_and(|other| other.verdict == AFFECTED || row.verdict != AFFECTED);
    if !stands {
        matched.insert(row.id.clone(), row);
    }
}

/// The finding that a statement makes of a component that it covers.
fn finding(
    component: &ComponentRow,
    package: &NamedPackage,
    facts: &AdvisoryFacts,
    coverage: &Coverage,
) -> Result<FindingRow, EvidenceError> {
    let sbom = component
        .sbom
        .parse()
        .map_err(|error: DigestError| component.unreadable(error))?;
    let id = stella_assess::finding_id(
        &sbom,
        &component.reference,
        &facts.publisher,
        &facts.upstream_id,
    );
    let id = id.map_err(|error| component.unreadable(error))?;
    row(id.to_string(), component, package, facts, coverage)
}

fn row(
    id: String,
    component: &ComponentRow,
    package: &NamedPackage,
    facts: &AdvisoryFacts,
    coverage: &Coverage,
) -> Result<FindingRow, EvidenceError> {
    Ok(FindingRow {
        id,
        sbom: component.sbom.clone(),
        bom_ref: component.bom_ref.clone(),
        pointer: component.pointer.clone(),
        purl: component.purl.clone(),
        name: component.name.clone(),
        version: component.version.clone(),
        publisher: facts.publisher.clone(),
        upstream_id: facts.upstream_id.clone(),
        advisory: facts.digest.clone(),
        advisory_pointer: package.pointer.clone(),
        verdict: coverage.verdict.as_str().to_owned(),
        rule: coverage.rule.clone(),
        range: coverage.range.clone(),
        fixed_versions: store::list(&coverage.fixed_versions)?,
        informational: package.informational.clone(),
        summary: facts.summary.clone(),
        identifiers: store::list(&facts.identifiers)?,
        derivation: stella_assess::DERIVATION,
    })
}
