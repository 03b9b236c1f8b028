// Command zip packs a folder into an archive that depends on nothing but what is in it: files
// in the order of their names, all of one time.
//
//	go run ./packaging/zip FOLDER OUT.zip
//
// SOURCE_DATE_EPOCH is the time, in seconds since 1970.
package main

import (
	"archive/zip"
	"compress/flate"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: zip FOLDER OUT.zip")
		os.Exit(2)
	}
	if err := pack(os.Args[1], os.Args[2], os.Getenv("SOURCE_DATE_EPOCH")); err != nil {
		fmt.Fprintln(os.Stderr, "zip:", err)
		os.Exit(1)
	}
}

// pack writes the archive. Its files lie in a folder that is called as the one that is packed.
func pack(folder, out, epoch string) error {
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return fmt.Errorf("read SOURCE_DATE_EPOCH: %w", err)
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer f.Close()
	w := zip.NewWriter(f)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestCompression) })
	files := os.DirFS(folder)
	err = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return add(w, files, name, path.Join(filepath.Base(folder), name), time.Unix(seconds, 0).UTC())
	})
	if err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return f.Close()
}

func add(w *zip.Writer, files fs.FS, name, as string, at time.Time) error {
	b, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	to, err := w.CreateHeader(&zip.FileHeader{Name: as, Method: zip.Deflate, Modified: at})
	if err != nil {
		return err
	}
	_, err = to.Write(b)
	return err
}
