//! Verifying an export without a server: the records are chained again, and must end where it is
//! signed that the log ended.

use std::path::Path;

use clap::ValueEnum as _;
use serde_json::Value;
use stella_api::audit::AuditVerifyAnswer;
use stella_api::verify::{VerifiedLog, VerifyExample, VerifyViolation};
use stella_api::{Code, TenantId};
use stella_attest::{Chain, Entry, LogName, PublicKey, signed_end, verify as verified};

use super::Service;
use super::export::Head;
use super::verify::Verified;
use crate::failure::Failure;
use crate::kind::{EXPORT_INVALID, PATH_UNREADABLE};
use crate::label::filled;

/// The name of an audit log.
const AUDIT: &str = "audit";

/// Verifies an export, which holds the log of the service that is asked for, or of every one.
pub(super) fn verify(
    file: &Path,
    keys: &[String],
    service: Option<Service>,
) -> Result<Vec<Verified>, Failure> {
    let path = file.display().to_string();
    let told = |kind, reason: &dyn ToString| {
        Failure::of(kind, &[("path", &path), ("reason", &reason.to_string())])
    };
    let text = std::fs::read_to_string(file).map_err(|error| told(&PATH_UNREADABLE, &error))?;
    let mut logs: Vec<Log> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let invalid = |reason: &dyn ToString| {
            told(
                &EXPORT_INVALID,
                &format!("line {}: {}", at + 1, reason.to_string()),
            )
        };
        let value: Value = serde_json::from_str(line).map_err(|error| invalid(&error))?;
        if value.get("checkpoint").is_some() {
            let head: Head = serde_json::from_value(value).map_err(|error| invalid(&error))?;
            let log = Log::of(head, keys).map_err(|error| invalid(&error))?;
            log.goes_with(&logs).map_err(|error| invalid(&error))?;
            logs.push(log);
        } else {
            let log = logs.last_mut();
            let log = log.ok_or_else(|| invalid(&"a record before the end of a log"))?;
            log.follow(value).map_err(|error| invalid(&error))?;
        }
    }
    let Some(first) = logs.first() else {
        return Err(told(&EXPORT_INVALID, &"it is empty"));
    };
    let tenant = first.chain.of().tenant.to_string();
    let there = |service: &Service| logs.iter().any(|log| log.service == *service);
    let asked = Service::asked(service).into_iter();
    let gone = asked.filter(|one| !there(one));
    let gone: Vec<Verified> = gone.map(|one| not_there(one, &tenant)).collect();
    Ok(logs.into_iter().map(Log::end).chain(gone).collect())
}

/// A log that an export should hold.
fn not_there(service: Service, tenant: &str) -> Verified {
    let detail = filled("audit-log-gone", &[("service", service.name().into())]);
    Verified {
        service: service.name().to_owned(),
        tenant: Some(tenant.to_owned()),
        key: None,
        answer: AuditVerifyAnswer {
            log: VerifiedLog {
                size: 0,
                root: String::new(),
                unsealed: 0,
            },
            violations: vec![violation(Code::LogCorrupt, detail)],
            resume: None,
        },
    }
}

fn violation(code: Code, detail: String) -> VerifyViolation {
    VerifyViolation {
        code: code.to_string(),
        count: 1,
        examples: vec![VerifyExample {
            document: None,
            position: None,
            detail,
        }],
    }
}

struct Log {
    service: Service,
    key: Option<String>,
    /// What is signed, or why that counts for nothing.
    signed: Result<stella_api::log::Checkpoint, String>,
    chain: Chain,
    faults: Vec<(Code, String)>,
}

impl Log {
    fn of(head: Head, keys: &[String]) -> Result<Self, String> {
        let jwks = head.end.keys.iter().map(PublicKey::from_jwk);
        let known: Result<Vec<PublicKey>, _> = jwks.collect();
        let mut known = known.map_err(|error| error.to_string())?;
        known.retain(|key| keys.is_empty() || keys.iter().any(|kid| kid == key.keyid()));
        let signed = signed_end(&head.end.envelope, &known);
        let key = known
            .iter()
            .find(|key| verified(&head.end.envelope, std::slice::from_ref(*key)).is_ok());
        let service = Service::from_str(&head.service, false)
            .map_err(|_| format!("{} is no service", head.service))?;
        let tenant: Result<TenantId, _> = head.end.checkpoint.tenant.parse();
        let of = LogName {
            schema: service.schema().to_owned(),
            tenant: tenant.map_err(|error| error.to_string())?,
            log: AUDIT.to_owned(),
        };
        Ok(Self {
            service,
            key: key.map(|key| key.keyid().to_owned()),
            chain: Chain::new(of),
            signed,
            faults: Vec::new(),
        })
    }

    /// An export has each log once, all of one tenant.
    fn goes_with(&self, others: &[Self]) -> Result<(), String> {
        for other in others {
            if other.service == self.service {
                return Err(format!("the log of {} is there twice", self.service.name()));
            }
            let (first, here) = (&other.chain.of().tenant, &self.chain.of().tenant);
            if first != here {
                return Err(format!(
                    "it is a log of {here}, and those before of {first}"
                ));
            }
        }
        Ok(())
    }

    /// What a record says, without what stands beside it in the chain.
    fn follow(&mut self, mut record: Value) -> Result<(), String> {
        let fields = record.as_object_mut().ok_or("it is no record")?;
        let mut take = |name: &str| fields.remove(name).ok_or(format!("it has no {name}"));
        let (position, at, action) = (take("position")?, take("at")?, take("action")?);
        let entry = Entry {
            position: position.as_u64().ok_or("its position is none")?,
            recorded_at: at.as_str().ok_or("its time is none")?,
            subject: action.as_str().ok_or("its action is none")?,
            entry: &record,
        };
        let expected = self.chain.tree().size() + 1;
        if entry.position != expected {
            let values = [
                ("expected", expected.into()),
                ("found", entry.position.into()),
            ];
            let reason = filled("audit-position", &values);
            self.faults.push((Code::LogCorrupt, reason));
        }
        let hash = self.chain.hash(entry).map_err(|error| error.to_string())?;
        self.chain.follow(hash);
        Ok(())
    }

    fn end(mut self) -> Verified {
        let found = self.chain.end();
        match self.signed {
            Ok(signed) if signed == found => {}
            Ok(signed) if !self.chain.of().is_of(&signed) || signed.schema.is_none() => {
                let schema = signed.schema.unwrap_or_default();
                let values = [
                    ("tenant", signed.tenant.into()),
                    ("schema", schema.into()),
                    ("log", signed.log.into()),
                ];
                let reason = filled("audit-other-log", &values);
                self.faults.push((Code::LogUnsigned, reason));
            }
            Ok(signed) => {
                let values = [
                    ("signed", signed.size.into()),
                    ("signedRoot", signed.root.as_str().into()),
                    ("found", found.size.into()),
                    ("foundRoot", found.root.as_str().into()),
                ];
                let reason = filled("audit-other-end", &values);
                self.faults.push((Code::LogUnsigned, reason));
            }
            Err(reason) => self.faults.push((Code::LogUnsigned, reason)),
        }
        let faults = self.faults.into_iter();
        let violations = faults.map(|(code, detail)| violation(code, detail));
        Verified {
            service: self.service.name().to_owned(),
            tenant: Some(found.tenant),
            key: self.key,
            answer: AuditVerifyAnswer {
                log: VerifiedLog {
                    size: found.size,
                    root: found.root,
                    unsealed: 0,
                },
                violations: violations.collect(),
                resume: None,
            },
        }
    }
}
