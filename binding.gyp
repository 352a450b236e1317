# SPDX-License-Identifier: Apache-2.0
#
# The addon busbar.node, built by scripts/addon.js into build/. It takes from native/ the rooms that
# know nothing of the outside; of those only what it needs is linked.
{
  'variables': {
    'busbar_werror%': 0,
    'busbar_version': "<!(node -p \"require('./package.json').version\")",
  },
  'target_defaults': {
    'include_dirs': ['native'],
    'defines': ['BB_VERSION="<(busbar_version)"'],
    'cflags': ['-Wall', '-Wextra', '-Wshadow', '-fvisibility=hidden', '-ffunction-sections'],
    'cflags_c': ['-std=c11', '-D_GNU_SOURCE=', '-Wpedantic', '-Wmissing-prototypes', '-Wconversion'],
    'cflags!': ['-Wno-unused-parameter'],
    'conditions': [['busbar_werror==1', {'cflags': ['-Werror']}]],
  },
  'targets': [
    {
      'target_name': 'busbar_core',
      'type': 'static_library',
      'sources': ['<!@(node scripts/addon.js --sources core)'],
    },
    {
      'target_name': 'busbar',
      'dependencies': ['busbar_core'],
      'sources': ['<!@(node scripts/addon.js --sources glue)'],
      # A thread that is being terminated takes no exception any more: that must not end the process.
      'defines': [
        'NAPI_VERSION=8',
        'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS',
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
      ],
      'cflags_cc': [
        '-fno-exceptions',
        '-isystem', "<!(node -p \"require('path').resolve(require('node-addon-api').include_dir)\")",
      ],
      'libraries': ['-lm'],
      # What is linked in statically is nobody else's to see, and nobody else's is taken for it.
      'ldflags': [
        '-static-libstdc++',
        '-static-libgcc',
        '-Wl,--exclude-libs,ALL',
        '-Wl,--gc-sections',
      ],
    },
  ],
}
