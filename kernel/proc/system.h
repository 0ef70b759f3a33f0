// kernel/proc/system.h — what reboot(2) and /proc/sys share.
#pragma once

bool ctrl_alt_del_enabled(void);                      // what was set last: reboot(2), kernel.ctrl-alt-del
void ctrl_alt_del_set(bool restarts); // kernel.ctrl-alt-del
