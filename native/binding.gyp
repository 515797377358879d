{
  # "yes" where build.mjs found clang and libbpf; the first target never depends on either.
  "variables": {"capture%": "no", "capture_libraries%": "-lbpf -lelf -lz"},
  "conditions": [
    ["capture=='yes'", {
      "targets": [
        {
          "target_name": "afterimage-capture",
          "sources": [
            "src/capture/addon.cc",
            "src/capture/batch.cc",
            "src/capture/drain.cc",
            "src/capture/entries.cc",
            "src/capture/program.cc",
            "src/capture/ring.cc",
            "src/capture/stream.cc"
          ],
          "dependencies": [
            "<!(node -p \"require('node-addon-api').targets\"):node_addon_api_except"
          ],
          "defines": [
            "NAPI_VERSION=8",
            "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
            "_FILE_OFFSET_BITS=64",
            "_GNU_SOURCE"
          ],
          "cflags_cc": ["-Wall", "-Wextra", "-fvisibility=hidden"],
          "libraries": ["<@(capture_libraries)"]
        }
      ]
    }]
  ],
  "targets": [
    {
      "target_name": "afterimage",
      "sources": [
        "src/addon.cc",
        "src/arguments.cc",
        "src/attributes.cc",
        "src/directory-calls.cc",
        "src/fanotify-calls.cc",
        "src/keep-calls.cc",
        "src/file-calls.cc",
        "src/file-flags.cc",
        "src/handle-calls.cc",
        "src/handle-format.cc",
        "src/handle-identity.cc",
        "src/handle-open.cc",
        "src/metadata-calls.cc",
        "src/stat-record.cc",
        "src/system-error.cc",
        "src/xattr-calls.cc"
      ],
      "dependencies": [
        "<!(node -p \"require('node-addon-api').targets\"):node_addon_api_except"
      ],
      "defines": [
        "NAPI_VERSION=8",
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
        "_FILE_OFFSET_BITS=64"
      ],
      "cflags_cc": ["-Wall", "-Wextra", "-fvisibility=hidden"],
      "conditions": [
        ["OS=='linux'", { "defines": ["_GNU_SOURCE"] }],
        ["OS=='mac'", {
          "xcode_settings": {
            "MACOSX_DEPLOYMENT_TARGET": "11.0",
            "GCC_SYMBOLS_PRIVATE_EXTERN": "YES"
          }
        }]
      ]
    }
  ]
}
