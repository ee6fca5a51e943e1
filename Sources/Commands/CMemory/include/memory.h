#pragma once

/// Has malloc take blocks of 1 MiB and more from the system, zeroed and untouched, and give them back when freed.
void strake_map_large_blocks(void);
