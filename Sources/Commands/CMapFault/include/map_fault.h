#pragma once

/// Has the process say what happened, and end with status 1, when a page of a mapped file cannot be read: the disk failed
/// (EIO), or the file is shorter than the map. Faults anywhere else go on to whoever had them before: by default a core
/// dump.
///
/// The line on standard error is `before`, the file's path, ` at byte N`, `after`. The path is written so that it can
/// stand in a JSON string.
///
/// - Parameters:
///   - name: Of the files, without a directory; must stay good, like the two texts.
///   - before, after: Parts of the line; `after` ends it.
void strake_report_map_faults(const char *name, const char *before, const char *after);
