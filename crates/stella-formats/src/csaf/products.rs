//! The product tree: branches, single products, relationships and groups.

use std::collections::BTreeMap;

use super::{CsafProduct, CsafRelationship};
use crate::cursor::Cursor;
use crate::error::FormatError;
use crate::room::Room;
use crate::{Notice, Versions};

/// What a product tree names.
#[derive(Default)]
pub(super) struct Products {
    pub(super) by_id: BTreeMap<String, CsafProduct>,
    groups: BTreeMap<String, Vec<String>>,
    room: Room,
}

impl Products {
    pub(super) fn read(root: &Cursor<'_>, notices: &mut Vec<Notice>) -> Result<Self, FormatError> {
        let mut products = Self::default();
        let Some(tree) = root.object("product_tree")? else {
            return Ok(products);
        };
        products.branches(&tree, notices)?;
        for at in tree.objects("full_product_names")? {
            products.add(&at, None, &Branches::default(), notices)?;
        }
        for at in tree.objects("relationships")? {
            let relationship = CsafRelationship {
                category: at.required("category")?,
                part: at.required("product_reference")?,
                whole: at.required("relates_to_product_reference")?,
            };
            if let Some(product) = at.object("full_product_name")? {
                let none = Branches::default();
                products.add(&product, Some(relationship), &none, notices)?;
            }
        }
        for at in tree.objects("product_groups")? {
            let members = at.texts("product_ids")?;
            products.groups.insert(at.required("group_id")?, members);
        }
        products.check(notices);
        Ok(products)
    }

    /// A tree as deep as the JSON reader allows, gone through without recursion.
    fn branches(
        &mut self,
        tree: &Cursor<'_>,
        notices: &mut Vec<Notice>,
    ) -> Result<(), FormatError> {
        let mut open = self.below(tree, &Branches::default())?;
        while let Some((branch, above)) = open.pop() {
            let branches = above.and(&branch)?;
            if let Some(product) = branch.object("product")? {
                self.add(&product, None, &branches, notices)?;
            }
            open.extend(self.below(&branch, &branches)?);
        }
        Ok(())
    }

    /// The branches of a branch with what those above them say, the last first.
    fn below<'a>(
        &mut self,
        at: &Cursor<'a>,
        above: &Branches,
    ) -> Result<Vec<(Cursor<'a>, Branches)>, FormatError> {
        let branches = at.objects("branches")?.into_iter().rev();
        self.room
            .take(branches.len() * above.bytes(), &at.pointer)?;
        Ok(branches.map(|one| (one, above.clone())).collect())
    }

    fn add(
        &mut self,
        at: &Cursor<'_>,
        relationship: Option<CsafRelationship>,
        branches: &Branches,
        notices: &mut Vec<Notice>,
    ) -> Result<(), FormatError> {
        let id = at.required("product_id")?;
        self.room.take(branches.bytes(), &at.pointer)?;
        let mut product = CsafProduct {
            name: at.text("name")?,
            purls: Vec::new(),
            cpe: None,
            versions: branches.versions.clone(),
            only: branches.only.clone(),
            unread: Vec::new(),
            ambiguous: false,
            relationship,
            pointer: at.pointer.clone(),
        };
        if let Some(helper) = at.object("product_identification_helper")? {
            product.cpe = helper.text("cpe")?;
            // One in 2.0, a list since.
            product.purls.extend(helper.text("purl")?);
            product.purls.extend(helper.texts("purls")?);
            let others = helper
                .members()?
                .keys()
                .filter(|kind| !READ.contains(&kind.as_str()));
            product.unread.extend(others.cloned());
        }
        if let Some(first) = self.by_id.get_mut(&id) {
            first.ambiguous |= !first.means_the_same(&product);
            let message =
                format!("product id {id:?} names more than one product; the first counts");
            notices.push(at.notice("DUPLICATE_PRODUCT_ID", message));
            return Ok(());
        }
        self.by_id.insert(id, product);
        Ok(())
    }

    fn check(&self, notices: &mut Vec<Notice>) {
        for product in self.by_id.values() {
            let Some(relationship) = &product.relationship else {
                continue;
            };
            for id in [&relationship.part, &relationship.whole] {
                if !self.by_id.contains_key(id) {
                    notices.push(undefined(id, product.pointer.clone()));
                }
            }
        }
    }

    /// The products that a part of the document names, singly and by groups, each once.
    pub(super) fn named(
        &mut self,
        at: &Cursor<'_>,
        singly: &str,
        notices: &mut Vec<Notice>,
    ) -> Result<Vec<String>, FormatError> {
        let mut named = at.texts(singly)?;
        for group in at.texts("group_ids")? {
            match self.groups.get(&group) {
                Some(members) => {
                    let bytes = members.iter().map(|id| 32 + id.len()).sum();
                    self.room.take(bytes, &at.pointer)?;
                    named.extend(members.iter().cloned());
                }
                None => {
                    let message = format!("product group {group:?} is not defined");
                    notices.push(at.notice("UNDEFINED_PRODUCT_GROUP", message));
                }
            }
        }
        let mut seen = std::collections::HashSet::new();
        named.retain(|id| seen.insert(id.clone()));
        for id in &named {
            if !self.by_id.contains_key(id) {
                notices.push(undefined(id, at.pointer_to(singly)));
            }
        }
        Ok(named)
    }
}

/// Identifiers that are read, and one that says nothing of what is meant.
const READ: [&str; 4] = ["cpe", "purl", "purls", "sbom_urls"];

/// Categories of branches that say whose product it is, and which.
const NAMING: [&str; 3] = ["product_family", "product_name", "vendor"];

/// What the branches above a product say of it.
#[derive(Clone, Default)]
struct Branches {
    /// Some publishers name a package in place of a version, of which all versions are meant: that
    /// tells who reads the product.
    versions: Option<Versions>,
    /// Two of these say more than the last.
    only: Vec<(String, String)>,
}

impl Branches {
    /// About the bytes that they come to.
    fn bytes(&self) -> usize {
        let versions = self.versions.iter().map(|versions| versions.text().len());
        let only = self.only.iter();
        let only = only.map(|(category, name)| 64 + category.len() + name.len());
        versions.chain(only).sum()
    }

    /// With what a branch below them says.
    fn and(mut self, branch: &Cursor<'_>) -> Result<Self, FormatError> {
        let Some(category) = branch.str("category")? else {
            return Ok(self);
        };
        let name = branch.text("name")?.unwrap_or_default();
        let versions = match category {
            "product_version" if !name.trim().is_empty() => Versions::One(name),
            "product_version_range" if !name.trim().is_empty() => Versions::Range(name),
            naming if NAMING.contains(&naming) => return Ok(self),
            other => {
                self.only.push((other.to_owned(), name));
                return Ok(self);
            }
        };
        if let Some(Versions::One(above) | Versions::Range(above)) = self.versions.replace(versions)
        {
            self.only.push(("product_version".to_owned(), above));
        }
        Ok(self)
    }
}

fn undefined(id: &str, pointer: String) -> Notice {
    Notice {
        code: "UNDEFINED_PRODUCT_ID",
        pointer,
        message: format!("product id {id:?} is not defined"),
    }
}
