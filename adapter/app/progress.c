#include "app/progress.h"

#include <stdio.h>
#include <unistd.h>

#define BAR "========================================"

void progress_start(struct progress *progress, bool wanted)
{
    *progress = (struct progress){ .on = wanted && isatty(STDERR_FILENO), .percent = -1 };
}

void progress_show(struct progress *progress, const char *what, long long done, long long all)
{
    const int width = (int)sizeof BAR - 1;

    if (!progress->on) return;
    int percent = all <= 0 ? 0 : done >= all ? 100 : (int)(done * 100 / all);
    if (percent == progress->percent && what == progress->what) return;
    progress->percent = percent;
    progress->what = what;
    int part = percent * width / 100;
    fprintf(stderr, "\r%-12s [%.*s%*s] %3d%%", what, part, BAR, width - part, "", percent);
    fflush(stderr);
}

void progress_end(struct progress *progress)
{
    if (progress->on && progress->percent >= 0) fprintf(stderr, "\r%62s\r", "");
    progress->percent = -1;
}
