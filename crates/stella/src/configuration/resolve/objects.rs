//! Where the blobs of a service lie.

use std::path::PathBuf;

use stella_api::Code;
use stella_client::is_server_url;
use stella_locale::Labels;
use stella_storage::{Driver, ObjectDriver, S3};

use super::Resolver;
use crate::configuration::{Objects, ServiceName};

impl Resolver<'_> {
    /// Where a service's blobs lie.
    pub(super) fn objects(
        &mut self,
        service: ServiceName,
        driver: Option<&Driver>,
    ) -> Option<Objects> {
        let own = format!("{}:Storage:ObjectStore:Driver", service.section);
        let (driver_key, value) = self.own_or(own, "Storage:ObjectStore:Driver");
        let driver = match value {
            Some("seed-fs") => self.seed_fs(service, driver),
            Some("rustfs") => self.rustfs().map(ObjectDriver::Rustfs),
            Some(_) => self.wrong(
                Some(service),
                Code::ObjectStoreDriverUnsupported,
                &driver_key,
                "hint-config-one-of",
            ),
            None => self.wrong(
                Some(service),
                Code::ObjectStoreDriverMissing,
                &driver_key,
                "hint-config-objects-missing",
            ),
        };
        let driver = driver?;
        Some(Objects { driver, driver_key })
    }

    fn seed_fs(&mut self, service: ServiceName, driver: Option<&Driver>) -> Option<ObjectDriver> {
        if matches!(driver, Some(Driver::InMemory)) {
            return Some(ObjectDriver::Temporary);
        }
        let folder = self.value("Storage:DataDirectory");
        let folder = folder.map(|said| PathBuf::from(said.value.trim()));
        match folder {
            Some(folder) if folder.is_absolute() || !self.environment.strict() => {
                Some(ObjectDriver::SeedFs(folder.join("objects")))
            }
            _ => self.wrong(
                Some(service),
                Code::StorageDirectoryMissing,
                "Storage:DataDirectory",
                "hint-config-objects-folder",
            ),
        }
    }

    fn rustfs(&mut self) -> Option<S3> {
        if let Some(known) = &self.s3 {
            return known.clone();
        }
        let endpoint = self.setting("Endpoint", is_server_url, "hint-config-endpoint");
        let bucket = self.setting("Bucket", is_bucket, "hint-config-bucket");
        // Any text will do, so that this hint is never told.
        let any = |_: &str| true;
        let region = self.setting("Region", any, "hint-config-rustfs");
        let access_key_id = self.setting("AccessKeyId", any, "hint-config-rustfs");
        let secret_access_key = self.setting("SecretAccessKey", any, "hint-config-rustfs");
        let s3 = || {
            Some(S3 {
                endpoint: endpoint?,
                bucket: bucket?,
                region: region?,
                access_key_id: access_key_id?,
                secret_access_key: secret_access_key?,
            })
        };
        self.s3.insert(s3()).clone()
    }

    fn setting(
        &mut self,
        name: &str,
        is_valid: impl Fn(&str) -> bool,
        hint: &str,
    ) -> Option<String> {
        let key = format!("Storage:ObjectStore:{name}");
        match self.value(&key).map(|said| said.value.trim()) {
            Some(value) if is_valid(value) => Some(value.to_owned()),
            Some(_) => self.wrong(None, Code::ConfigValueInvalid, &key, hint),
            None => {
                let hint =
                    Labels::english().format("hint-config-rustfs", &[("key", (&*key).into())]);
                self.note(None, Code::ObjectStoreSettingMissing, &key, hint)
            }
        }
    }
}

/// Whether a text can name a bucket of S3.
fn is_bucket(text: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (3..=63).contains(&text.len())
        && text
            .bytes()
            .all(|byte| letters(byte) || b".-".contains(&byte))
}
