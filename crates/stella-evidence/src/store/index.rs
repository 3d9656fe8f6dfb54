//! What a document is found by: the ids, packages and components that it names.

use std::collections::BTreeMap;

use sqlx::{query, query_as, query_scalar};
use stella_api::TenantId;
use stella_formats::{Body, Document};
use stella_storage::{StoreError, Tx, execute, on};

use super::derived::{ComponentRow, unreadable};
use super::list;
use super::rows::TOGETHER;

/// The rows of one document, by what tells them apart within it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) names: BTreeMap<String, ()>,
    pub(crate) packages: BTreeMap<String, PackageRow>,
    pub(crate) components: BTreeMap<String, ComponentRow>,
}

/// What an advisory says of a package, as it is stored; the statement is JSON.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct PackageRow {
    position: i64,
    ecosystem: String,
    package: String,
    pointer: String,
    informational: Option<String>,
    affected: String,
}

impl Index {
    /// What a document names.
    pub(crate) fn of(digest: &str, document: &Document) -> Result<Self, StoreError> {
        let mut index = Self::default();
        for identifier in document.identifiers() {
            index.names.insert(identifier.to_owned(), ());
        }
        for (position, package) in (0i64..).zip(stella_assess::packages(&document.body)) {
            let (ecosystem, name) = package.package_key();
            let affected = serde_json::to_string(&package.affected);
            index.add_package(PackageRow {
                position,
                ecosystem,
                package: name,
                pointer: package.pointer,
                informational: package.informational,
                affected: affected.map_err(|error| unreadable(digest, error))?,
            });
        }
        if let Body::Sbom(sbom) = &document.body {
            for component in stella_assess::components(sbom) {
                for (ecosystem, package) in component.package_keys() {
                    index.add_component(ComponentRow {
                        ecosystem,
                        package,
                        sbom: digest.to_owned(),
                        reference: component.reference.clone(),
                        bom_ref: component.bom_ref.clone(),
                        pointer: component.pointer.clone(),
                        purl: component.purl.clone(),
                        name: component.name.clone(),
                        version: component.version().to_owned(),
                    });
                }
            }
        }
        Ok(index)
    }

    fn add_package(&mut self, row: PackageRow) {
        let name = format!("{} {} {}", row.position, row.ecosystem, row.package);
        self.packages.insert(name, row);
    }

    /// Of two components that are called the same, the first stands.
    fn add_component(&mut self, row: ComponentRow) {
        let name = format!("{} {} {}", row.ecosystem, row.package, row.reference);
        self.components.entry(name).or_insert(row);
    }
}

/// Indexes documents, by their digests. Rows that are there already stay as they are.
pub(crate) async fn add_index(
    tx: &mut Tx,
    tenant: &TenantId,
    documents: &[(&str, Index)],
) -> Result<(), StoreError> {
    let mut names = Vec::new();
    let (mut packages, mut components) = (Vec::new(), Vec::new());
    for (digest, index) in documents {
        names.extend(index.names.keys().map(|identifier| (identifier, digest)));
        packages.extend(index.packages.values().map(|row| {
            let (ecosystem, package, pointer) = (&row.ecosystem, &row.package, &row.pointer);
            let (informational, affected) = (&row.informational, &row.affected);
            (
                ecosystem,
                package,
                digest,
                row.position,
                pointer,
                informational,
                affected,
            )
        }));
        components.extend(index.components.values().map(|row| {
            let (ecosystem, package, sbom) = (&row.ecosystem, &row.package, &row.sbom);
            let (reference, bom_ref, pointer) = (&row.reference, &row.bom_ref, &row.pointer);
            (
                ecosystem,
                package,
                sbom,
                reference,
                bom_ref,
                pointer,
                &row.purl,
                &row.name,
                &row.version,
            )
        }));
    }
    for rows in names.chunks(TOGETHER) {
        insert_rows!(
            &mut *tx,
            "INSERT INTO evidence.names (tenant, identifier, digest) \
             SELECT $1, r.value ->> 0, r.value ->> 1",
            "WHERE true ON CONFLICT DO NOTHING",
            [tenant.as_str(), list(rows)?]
        )?;
    }
    for rows in packages.chunks(TOGETHER) {
        insert_rows!(
            &mut *tx,
            "INSERT INTO evidence.packages (tenant, ecosystem, package, digest, position, \
             pointer, informational, affected) SELECT $1, r.value ->> 0, r.value ->> 1, \
             r.value ->> 2, CAST(r.value ->> 3 AS bigint), r.value ->> 4, r.value ->> 5, \
             r.value ->> 6",
            "WHERE true ON CONFLICT DO NOTHING",
            [tenant.as_str(), list(rows)?]
        )?;
    }
    for rows in components.chunks(TOGETHER) {
        insert_rows!(
            &mut *tx,
            "INSERT INTO evidence.components (tenant, ecosystem, package, sbom, reference, \
             bom_ref, pointer, purl, name, version) SELECT $1, r.value ->> 0, r.value ->> 1, \
             r.value ->> 2, r.value ->> 3, r.value ->> 4, r.value ->> 5, r.value ->> 6, \
             r.value ->> 7, r.value ->> 8",
            "WHERE true ON CONFLICT DO NOTHING",
            [tenant.as_str(), list(rows)?]
        )?;
    }
    Ok(())
}

/// The index of a document as it is stored.
pub(crate) async fn indexed(
    tx: &mut Tx,
    tenant: &TenantId,
    digest: &str,
) -> Result<Index, StoreError> {
    let mut index = Index::default();
    let names: Vec<String> = on!(&mut *tx, c => query_scalar(
        "SELECT identifier FROM evidence.names WHERE tenant = $1 AND digest = $2",
    ).bind(tenant.as_str()).bind(digest).fetch_all(c))?;
    index.names.extend(names.into_iter().map(|name| (name, ())));
    let packages: Vec<PackageRow> = on!(&mut *tx, c => query_as(
        "SELECT position, ecosystem, package, pointer, informational, affected \
         FROM evidence.packages WHERE tenant = $1 AND digest = $2",
    ).bind(tenant.as_str()).bind(digest).fetch_all(c))?;
    packages.into_iter().for_each(|row| index.add_package(row));
    let components = super::components_of(tx, tenant, digest).await?;
    components
        .into_iter()
        .for_each(|row| index.add_component(row));
    Ok(index)
}

/// Takes the index of a document away.
pub(crate) async fn drop_index(
    tx: &mut Tx,
    tenant: &TenantId,
    digest: &str,
) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM evidence.names WHERE tenant = $1 AND digest = $2",
        "DELETE FROM evidence.packages WHERE tenant = $1 AND digest = $2",
        "DELETE FROM evidence.components WHERE tenant = $1 AND sbom = $2",
    ] {
        execute!(
            &mut *tx,
            query(statement).bind(tenant.as_str()).bind(digest)
        )?;
    }
    Ok(())
}
