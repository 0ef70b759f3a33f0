// third_party/busybox/applet_links.c — prints where each applet's link belongs, one path a line.
#include <stdio.h>
#include <string.h>

#include "applet_metadata.h"

struct bb_applet {
    const char *name;
    const char *main;
    enum bb_install_loc_t install_loc;
    enum bb_suid_t need_suid;
    unsigned char noexec;
    unsigned char nofork;
};

#include "applets.h"

int main(void)
{
    static const char *const folders[] = {
        [BB_DIR_ROOT] = "",
        [BB_DIR_BIN] = "/bin",
        [BB_DIR_SBIN] = "/sbin",
        [BB_DIR_USR_BIN] = "/usr/bin",
        [BB_DIR_USR_SBIN] = "/usr/sbin",
    };
    for (size_t i = 0; i < sizeof applets / sizeof applets[0]; i++) {
        if (strcmp(applets[i].name, "busybox") != 0)
            printf("%s/%s\n", folders[applets[i].install_loc], applets[i].name);
    }
    return ferror(stdout) != 0;
}
