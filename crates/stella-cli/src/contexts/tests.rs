use super::*;

fn local() -> Context {
    Context {
        server: "http://127.0.0.1:7070".into(),
        tenant: "local".into(),
        client: Some("cli".into()),
        key_file: Some("/c/stella/keys/local.pem".into()),
    }
}

#[test]
fn what_is_saved_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("stella");
    assert_eq!(Contexts::load(&dir).unwrap(), Contexts::default());
    Contexts::update(&dir, |contexts| contexts.upsert("local", local())).unwrap();
    let contexts = Contexts::load(&dir).unwrap();
    assert_eq!(contexts.choose(None).unwrap(), ("local", &local()));
    insta::assert_snapshot!(std::fs::read_to_string(dir.join(FILE)).unwrap());
}

#[test]
fn words_that_yaml_could_take_for_something_else_stay_words() {
    let folder = tempfile::tempdir().unwrap();
    let context = Context {
        tenant: "1e3".into(),
        client: Some("yes".into()),
        ..local()
    };
    Contexts::update(folder.path(), |contexts| {
        contexts.upsert("no", context.clone())
    })
    .unwrap();
    assert_eq!(
        Contexts::load(folder.path())
            .unwrap()
            .choose(Some("no"))
            .unwrap(),
        ("no", &context)
    );
}

#[test]
fn the_first_context_is_current_until_another_is_chosen() {
    let mut contexts = Contexts::default();
    let none = contexts.choose(None).unwrap_err();
    assert_eq!(
        (none.code.as_ref(), u8::from(none.exit)),
        ("SERVER_UNREACHABLE", 10)
    );
    contexts.upsert("a", local()).unwrap();
    contexts.upsert("b", local()).unwrap();
    assert_eq!(contexts.choose(None).unwrap().0, "a");
    contexts.make_current("b").unwrap();
    assert_eq!(contexts.choose(None).unwrap().0, "b");
    assert_eq!(
        contexts.make_current("c").unwrap_err().code,
        "CONTEXT_NOT_FOUND"
    );
    assert_eq!(
        contexts.upsert("../up", local()).unwrap_err().code,
        "CONTEXT_NAME_INVALID"
    );
}

#[test]
fn which_of_several_is_not_guessed() {
    let mut contexts = Contexts::default();
    contexts.upsert("a", local()).unwrap();
    contexts.current = None;
    let none = contexts.choose(None).unwrap_err();
    assert_eq!(
        (none.code.as_ref(), u8::from(none.exit)),
        ("NO_CONTEXT", 78)
    );
    assert!(none.hint.as_ref().unwrap().contains("stella context use"));
    let named = contexts.choose(Some("b")).unwrap_err();
    assert_eq!(named.code, "CONTEXT_NOT_FOUND");
}

#[test]
fn a_wrong_file_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join(FILE),
        "current: a\ncontexts:\n  a:\n    serverr: x\n",
    )
    .unwrap();
    let failure = Contexts::load(folder.path()).unwrap_err();
    assert_eq!(
        (failure.code.as_ref(), u8::from(failure.exit)),
        ("CONFIG_INVALID", 78)
    );
    assert_eq!(
        failure.place.as_ref().map(|place| place.line),
        Some(4),
        "{failure:?}"
    );
    assert!(failure.message.contains("serverr"), "{}", failure.message);
}

#[test]
fn a_change_that_fails_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let result = Contexts::update(folder.path(), |contexts| {
        contexts.upsert("a", local())?;
        contexts.make_current("b")
    });
    assert_eq!(result.unwrap_err().code, "CONTEXT_NOT_FOUND");
    assert!(!folder.path().join(FILE).exists());
}
