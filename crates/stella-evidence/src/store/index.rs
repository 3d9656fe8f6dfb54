//! What a document is found by: the ids, packages and components that it names.

use std::collections::BTreeMap;

use sqlx::{query, query_as, query_scalar};
use stella_api::TenantId;
use stella_formats::{Body, Document};
use stella_storage::{StoreError, Tx, execute, on};

use super::derived::{ComponentRow, unreadable};

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
        match &document.body {
            Body::Advisory(advisory) => {
                for (position, package) in (0i64..).zip(stella_assess::packages(advisory)) {
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
            }
            Body::Sbom(sbom) => {
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
            Body::Vex(_) | Body::Kev(_) | Body::Epss(_) => {}
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

/// Indexes a document. Rows that are there already stay as they are.
pub(crate) async fn add_index(
    tx: &mut Tx,
    tenant: &TenantId,
    digest: &str,
    index: &Index,
) -> Result<(), StoreError> {
    for identifier in index.names.keys() {
        execute!(
            &mut *tx,
            query(
                "INSERT INTO evidence.names (tenant, identifier, digest) VALUES ($1, $2, $3) \
                 ON CONFLICT DO NOTHING",
            )
            .bind(tenant.as_str())
            .bind(identifier)
            .bind(digest)
        )?;
    }
    for row in index.packages.values() {
        add_package(tx, tenant, digest, row).await?;
    }
    for row in index.components.values() {
        add_component(tx, tenant, row).await?;
    }
    Ok(())
}

async fn add_package(
    tx: &mut Tx,
    tenant: &TenantId,
    digest: &str,
    row: &PackageRow,
) -> Result<(), StoreError> {
    execute!(
        tx,
        query(
            "INSERT INTO evidence.packages (tenant, ecosystem, package, digest, position, \
             pointer, informational, affected) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
             ON CONFLICT DO NOTHING",
        )
        .bind(tenant.as_str())
        .bind(&row.ecosystem)
        .bind(&row.package)
        .bind(digest)
        .bind(row.position)
        .bind(&row.pointer)
        .bind(row.informational.as_deref())
        .bind(&row.affected)
    )?;
    Ok(())
}

async fn add_component(
    tx: &mut Tx,
    tenant: &TenantId,
    row: &ComponentRow,
) -> Result<(), StoreError> {
    execute!(
        tx,
        query(
            "INSERT INTO evidence.components (tenant, ecosystem, package, sbom, reference, \
             bom_ref, pointer, purl, name, version) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
        )
        .bind(tenant.as_str())
        .bind(&row.ecosystem)
        .bind(&row.package)
        .bind(&row.sbom)
        .bind(&row.reference)
        .bind(row.bom_ref.as_deref())
        .bind(&row.pointer)
        .bind(&row.purl)
        .bind(&row.name)
        .bind(&row.version)
    )?;
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
