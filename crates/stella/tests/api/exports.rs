//! `stella evidence export`: what is carried elsewhere is the same bytes wherever it comes from.

use std::process::Command;

use stella_api::evidence_export::EvidenceExport;
use stella_canonical::Digest;

use crate::by_hand;
use crate::cli::Person;
use crate::fixtures::{self, bytes, hole, sbom};
use crate::up::text;
use crate::world::{World, on_every_driver};

/// Runs a system's tar to its end.
fn tar(words: &[&str], file: &str) -> Vec<u8> {
    let ran = Command::new("tar").args(["-f", file]).args(words).output();
    let ran = ran.unwrap();
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    ran.stdout
}

async fn exported(world: &World, tenant: &str, words: &[&str]) -> (Person, String) {
    let person = Person::of(world, tenant);
    let file = person
        .file("evidence.tar", b"")
        .to_str()
        .unwrap()
        .to_owned();
    let words = [&["evidence", "export", "--out", &file], words].concat();
    let ran = person.types(&words).await;
    assert_eq!((ran.exit, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    (person, file)
}

on_every_driver! {
    async fn an_export_is_the_same_bytes_whoever_took_in_what_first(world) {
        let parts = bytes(&sbom(&["alpha@1.0.0"]));
        // acme has one document from two sources; globex takes in the same the other way round.
        let mut other = fixtures::envelope(&hole(1));
        other["source"]["stream"] = "another".into();
        let twice = || fixtures::with_envelope("advisory", &hole(1), &other);
        let (acme, globex) = (world.ingester("acme"), world.ingester("globex"));
        acme.ingest("sbom", &parts).await;
        acme.ingest("advisory", &hole(1)).await;
        acme.send(twice()).await.success().unwrap();
        acme.ingest("advisory", &hole(2)).await;
        globex.ingest("advisory", &hole(2)).await;
        globex.send(twice()).await.success().unwrap();
        globex.ingest("advisory", &hole(1)).await;
        globex.ingest("sbom", &parts).await;

        let (_kept, one) = exported(&world, "acme", &[]).await;
        let (_too, two) = exported(&world, "globex", &[]).await;
        let written = std::fs::read(&one).unwrap();
        assert_eq!(written, std::fs::read(&two).unwrap());

        let manifest: EvidenceExport =
            serde_json::from_slice(&tar(&["-x", "-O", "manifest.json"], &one)).unwrap();
        assert_eq!(manifest.documents.len(), 3);
        let mut names = vec!["manifest.json".to_owned()];
        for document in &manifest.documents {
            let name = document.digest.replacen(':', "/", 1);
            let content = tar(&["-x", "-O", &name], &one);
            assert_eq!(Digest::of(&content).to_string(), document.digest);
            assert_eq!(content.len() as u64, document.size);
            let sources = if content == hole(1) { 2 } else { 1 };
            assert_eq!(document.envelopes.len(), sources, "{document:?}");
            names.push(name);
        }
        let listed = text(&tar(&["-t"], &one));
        assert_eq!(listed.lines().collect::<Vec<_>>(), names);

        let (_part, part) = exported(&world, "acme", &["--kind", "sbom"]).await;
        assert_eq!(text(&tar(&["-t"], &part)).lines().count(), 2);
    }

    /// Carried to another tenant, it is taken in as it was, from the same sources: the export of
    /// that tenant is the same bytes.
    async fn an_export_is_taken_in_as_it_was(world) {
        let mut other = fixtures::envelope(&hole(1));
        other["source"]["stream"] = "another".into();
        let acme = world.ingester("acme");
        acme.ingest("sbom", &bytes(&sbom(&["alpha@1.0.0"]))).await;
        acme.ingest("advisory", &hole(1)).await;
        acme.send(fixtures::with_envelope("advisory", &hole(1), &other)).await.success().unwrap();
        // Again at another time, before and after the first: that it came then counts as well.
        for time in ["2027-01-01T00:00:00Z", "2020-01-01T00:00:00Z"] {
            let mut again = fixtures::envelope(&hole(1));
            again["upstream"]["fetchedAt"] = time.into();
            acme.send(fixtures::with_envelope("advisory", &hole(1), &again)).await.success().unwrap();
        }
        let (_kept, one) = exported(&world, "acme", &[]).await;
        let there = Person::of(&world, "globex");
        let ran = there.types(&["evidence", "ingest", &one]).await;
        assert_eq!((ran.exit, &ran.json()["taken"]), (0, &5.into()), "{}{}", ran.stdout, ran.stderr);
        let (_too, two) = exported(&world, "globex", &[]).await;
        assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&two).unwrap());

        // A byte of a document that is another, in the archive: nothing of it is sent.
        let mut edited = std::fs::read(&one).unwrap();
        let at = edited.windows(4).rposition(|some| some == b"alph").unwrap();
        edited[at] = b'A';
        let edited = there.file("edited.tar", &edited);
        let ran = there.types(&["evidence", "ingest", edited.to_str().unwrap()]).await;
        assert_eq!((ran.exit, &ran.json()["taken"]), (2, &0.into()), "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("manifest of the export"), "{}", ran.stdout);
    }

    async fn what_is_not_as_it_came_is_not_exported(world) {
        let id = world.ingester("acme").ingest("advisory", &hole(1)).await.id;
        by_hand::edit(&world, &id, 20).await;
        let person = Person::of(&world, "acme");
        let file = person.file("there/evidence.tar", b"kept");
        let ran = person.types(&["evidence", "export", "--out", file.to_str().unwrap()]).await;
        assert_eq!(ran.exit, 6, "{}", ran.stderr);
        assert!(ran.stderr.contains("EVIDENCE_CORRUPT") && ran.stderr.contains(&id), "{}", ran.stderr);
        assert_eq!(std::fs::read(&file).unwrap(), b"kept");
        assert_eq!(std::fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    }
}
