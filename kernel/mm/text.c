/* kernel/mm/text.c: mappings that show rewritten text: see text.h. */
#include "mm/text.h"

#include "mm/alloc.h"
#include "mm/vma.h"
#include "self/self.h"

struct text_image *(*text_image_plain)(struct text_image *image);

void text_image_put(struct text_image *image)
{
    if (!image || !refcount_put(&image->ref))
        return;
    pages_free(image->window, image->len);
    kfree(image);
}

bool vma_rewritable(const struct vma *vma)
{
    const u64 looked_at = VM_PROT | VM_SHARED | VM_ALTERED | VM_GUARD;

    return vma->at.kind == VMA_HOST && (vma->flags & looked_at) == (VM_READ | VM_EXEC) &&
           !vma->mm->plain_text;
}

/* One call to the host: no thread sees a page missing, or half of an instruction changed. */
static int show(struct vma *vma, struct text_image *image)
{
    struct text_image *old = vma->at.text;
    int err;

    vma->at.text = image;
    err = vma_install(vma, vma->start, vma->end);
    if (err) {
        vma->at.text = old;
        return err;
    }
    text_image_get(image);
    text_image_put(old);
    return 0;
}

static u32 straddling(const struct text_image *image)
{
    return image ? image->straddling : 0;
}

void mm_text_show(u64 addr, const void *owner, struct text_image *image, bool alone)
{
    struct mm *mm = self()->mm;

    mm_lock(mm);
    struct vma *vma = vma_find(mm, addr);

    if (vma && vma_rewritable(vma) && vma->at.owner == owner && vma->at.offset == image->offset &&
        vma->end - vma->start == image->len &&
        (alone || straddling(image) == straddling(vma->at.text)))
        (void)show(vma, image); /* if not, it traps on */
    mm_unlock(mm);
}

int vma_restore_text(struct vma *vma)
{
    int err = 0;

    if (vma->at.text && vma->at.text->nsites) {
        AUTO(text_image_put) struct text_image *plain = text_image_plain(vma->at.text);

        err = plain ? show(vma, plain) : -ENOMEM;
    }
    if (!err && vma->at.kind == VMA_HOST && (vma->flags & VM_EXEC))
        vma->flags |= VM_ALTERED;
    return err;
}

int mm_text_give_up(void)
{
    struct mm *mm = self()->mm;
    struct vma *vma;
    int err = 0;

    mm_lock(mm);
    mm->plain_text = true;
    rb_for_each_entry(vma, &mm->vmas, node) {
        if (!err && vma->at.text)
            err = vma_restore_text(vma);
    }
    mm_unlock(mm);
    return err;
}
