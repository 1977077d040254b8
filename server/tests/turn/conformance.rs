//! The table of `lab/turnclient` against the running server: every row must pass.

use turnclient::conformance;

use super::program::Program;

#[test]
fn the_server_does_what_the_documents_say() {
    let program = Program::start();
    let outcomes = conformance::run(&program.target, |outcome| println!("{outcome}"));
    let failed: Vec<String> =
        outcomes.iter().filter(|outcome| outcome.result.is_err()).map(ToString::to_string).collect();
    println!("{} checks, {} failed", outcomes.len(), failed.len());
    assert!(conformance::rows().len() >= 60 && outcomes.len() >= 120);
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
