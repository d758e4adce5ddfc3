// Browsers start no worker from a page on a disk: there the search runs in a hidden frame.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.body.append(frame)
      const page = frame.contentDocument
      page.open()
      page.write("<!doctype html><body>")
      page.close()
      this.inside = frame.contentWindow
      this.inside.postMessage = (data) => {
        const event = new MessageEvent("message", { data })
        this.dispatchEvent(event)
        this.onmessage?.(event)
      }
      this.ready = new Promise((done) => {
        const script = page.createElement("script")
        script.src = url
        script.onload = done
        page.body.append(script)
      })
      this.terminate = () => frame.remove()
    }

    async postMessage(message) {
      await this.ready
      const data = structuredClone(message)
      this.inside.dispatchEvent(new this.inside.MessageEvent("message", { data }))
    }
  }
}
