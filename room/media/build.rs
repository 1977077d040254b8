//! Finds libvpx and libopus where the feature `codec` wants them, and compiles what stands between libvpx and Rust.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "codec")]
    codec();
}

#[cfg(feature = "codec")]
fn codec() {
    const SHIM: &str = "src/codec/vp8/shim.c";
    println!("cargo::rerun-if-changed={SHIM}");
    // Older ones have not been tried.
    let found = [("vpx", "1.8"), ("opus", "1.3")]
        .map(|(name, version)| pkg_config::Config::new().atleast_version(version).probe(name));
    match found {
        [Ok(vpx), Ok(_)] => cc::Build::new()
            .file(SHIM)
            .includes(&vpx.include_paths)
            .std("c99")
            .warnings(true)
            .extra_warnings(true)
            .compile("twocan_vp8"),
        missing => {
            for error in missing.into_iter().filter_map(Result::err) {
                println!("cargo::warning={}", error.to_string().lines().next().unwrap_or_default());
            }
            println!(
                "cargo::error=the codecs need libvpx and libopus: `apt-get install pkg-config libvpx-dev libopus-dev`, \
                 or build without the feature `media`"
            );
        }
    }
}
